"""Exported layers on images of other sizes than that of the export, where sizes were left open."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blocks import EXAMPLES
from cases import Case
from runtimes import need
from tiers import left

STEPS = (0, 1, 2, 5)  # how much larger the images are: four sizes, even and odd
# Their weights are of one size: the block says it, or the reshape in it does.
OF_ONE_SIZE = ("HybridSN", "PointwiseSpatialAttention")
OPEN = [name for name in EXAMPLES if name not in OF_ONE_SIZE]


def larger(case: Case, step: int) -> Case:
    return replace(case, shape=(*case.shape[:2], *(n + step for n in case.shape[2:])))


def inputs(case: Case) -> list[np.ndarray]:
    return [array.astype(np.float32) for array in case.given]


# ---- ONNX ------------------------------------------------------------------------------------------------------------


def to_onnx(layer: Any, given: list[np.ndarray], path: Path, images: int = 1) -> Any:
    """Export a PyTorch layer with the sizes of its images left open, and return a session of ONNX Runtime."""
    need("torch")
    import onnxruntime
    import torch

    automatic = torch.export.Dim.AUTO
    tensors = tuple(map(torch.tensor, given))
    open_axes = [(0, *range(2, tensor.ndim)) if i < images else (0,) for i, tensor in enumerate(tensors)]
    sizes = tuple(dict.fromkeys(axes, automatic) for axes in open_axes)
    with contextlib.redirect_stdout(io.StringIO()):  # the exporter tells its progress
        program = torch.onnx.export(layer.eval(), tensors, dynamo=True, dynamic_shapes=sizes, verbose=False)
    program.save(path)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(session: Any, given: list[np.ndarray]) -> np.ndarray:
    names = [each.name for each in session.get_inputs()]
    (output,) = session.run(None, dict(zip(names, given, strict=True)))
    return output


@pytest.mark.filterwarnings("ignore")  # of the exporter's own code
@pytest.mark.parametrize("name", EXAMPLES)
def test_onnx(name: str, tmp_path: Path):
    need("torch")
    import attn_torch

    case = EXAMPLES[name]
    layer = attn_torch.bind(case.block, case.weights)
    session = to_onnx(layer, inputs(case), tmp_path / "layer.onnx", case.block.images)
    for step in STEPS:
        other = larger(case, step)
        if step and name in OF_ONE_SIZE:
            with pytest.raises(Exception, match=r"INVALID_ARGUMENT|FAIL|RUNTIME_EXCEPTION"):
                run(session, inputs(other))
        else:
            assert other.share(run(session, inputs(other))) <= 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("stride", [2, left(3, "`test_spec.py::test_margins_are_tensorflows`, and a stride of 2 here")])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_onnx_of_same(length: int, stride: int, tmp_path: Path):
    """TensorFlow's SAME, in convolutions and pools of PyTorch: all remainders of the size by the stride."""
    need("torch")
    import torch

    from attn_torch import same

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = same.SameConv2d(3, 4, length, stride=stride)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pair = (length, length), (stride, stride)
            return same.max_pool2d(self.conv(x), *pair) + same.avg_pool2d(self.conv(x), *pair)

    torch.manual_seed(0)
    network, noise = Network().eval(), np.random.default_rng(0)
    session = to_onnx(network, [noise.normal(size=(2, 3, 24, 24)).astype(np.float32)], tmp_path / "same.onnx")
    for height in range(24, 24 + stride * stride):
        image = noise.normal(size=(2, 3, height, height + 1)).astype(np.float32)
        wanted = network(torch.tensor(image)).detach().numpy()
        np.testing.assert_allclose(run(session, [image]), wanted, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("padding", ["same", "symmetric"])
def test_onnx_of_a_network(padding: str, tmp_path: Path):
    """A network whose strides take images of every size, exported at 24 x 24."""
    need("torch")
    import torch

    import attn_torch

    network = attn_torch.SEResNet(5, depths=(1, 1), width=8, padding=padding).eval()
    noise = np.random.default_rng(0)
    session = to_onnx(network, [noise.normal(size=(2, 3, 24, 24)).astype(np.float32)], tmp_path / "network.onnx")
    for size in ((24, 24), (25, 27), (30, 31), (33, 26)):
        image = noise.normal(size=(2, 3, *size)).astype(np.float32)
        wanted = network(torch.tensor(image)).detach().numpy()
        np.testing.assert_allclose(run(session, [image]), wanted, rtol=0, atol=1e-5)


# ---- jax.export ------------------------------------------------------------------------------------------------------


def exported_by_jax(case: Case) -> Any:
    """Export an NNX layer with batch, height and width as symbols."""
    import jax
    from jax import export

    import attn_jax.nnx

    layer = attn_jax.nnx.bind(case.block, case.weights)
    layer.eval()
    rank = len(case.shape) - 2
    batch, *space = export.symbolic_shape(", ".join(["b", *"hwd"[:rank]]))
    images = case.block.images
    shapes = [(*space, array.shape[1]) if i < images else array.shape[1:] for i, array in enumerate(case.given)]
    symbols = [jax.ShapeDtypeStruct((batch, *shape), np.float32) for shape in shapes]
    return export.export(jax.jit(lambda *given: layer(*given)))(*symbols)


@pytest.mark.parametrize("name", OPEN)
def test_jax_export(name: str):
    need("nnx")
    case = EXAMPLES[name]
    exported = exported_by_jax(case)
    for step in STEPS:
        other = larger(case, step)
        output = np.asarray(exported.call(*other.channels_last))
        assert other.share(np.moveaxis(output, -1, 1) if output.ndim > 2 else output) <= 1


# ---- adaptive means --------------------------------------------------------------------------------------------------


def test_mean_matrices_of_symbols():
    """The matrices that symbols get are those of numbers."""
    need("torch")
    import torch

    from attn_core.spec.interpolation import mean_matrix
    from attn_torch.ops import _mean_matrix

    like = torch.zeros(1, dtype=torch.float64)
    for size in range(1, 20):
        for bins in range(1, 8):
            np.testing.assert_array_equal(_mean_matrix(size, bins, like).numpy(), mean_matrix(size, bins))


@pytest.mark.parametrize("align_corners", [True, False])
def test_resize_matrices_of_symbols(align_corners: bool):
    """But for the rounding of places that are no whole numbers."""
    need("torch")
    import torch

    from attn_core.spec.interpolation import resize_matrix
    from attn_torch.ops import _resize_matrix

    like = torch.zeros(1, dtype=torch.float64)
    for size in range(1, 12):
        for target in range(1, 12):
            found = _resize_matrix(size, target, align_corners, like).numpy()
            np.testing.assert_allclose(found, resize_matrix(size, target, align_corners), rtol=0, atol=1e-14)
