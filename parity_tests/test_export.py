"""Exported layers: each cell of the table in docs/export.md, on images of four sizes."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import int8
import numpy as np
import pytest
from blocks import EXAMPLES
from exporting import REFUSED, STEPS, TARGETS, Output, larger, session, takes_other_sizes, to_onnx
from runtimes import need
from tiers import left, sample

import attn_core as core
from attn_core.interpreters.rounding import bounded

# Blocks for which sizes mean something else: nothing, a number of bins, places between pixels, a size of their own.
SAMPLED = ("SqueezeExcitation", "MixedPoolingModule", "SpatialTransformer", "PointwiseSpatialAttention")
PROOF = "the same target on four blocks, and every block in `torch.export`"
CELLS = sample(
    [(target.runtime, key, name) for key, target in TARGETS.items() for name in EXAMPLES],
    lambda cell: cell[1] == "torch_export" or cell[2] in SAMPLED,
    PROOF,
)


@pytest.mark.filterwarnings("ignore")  # of the exporters' own code
@pytest.mark.parametrize(("runtime", "target", "name"), CELLS)
def test_cell(runtime: str, target: str, name: str):
    """Numbers are right within their bounds, and images of a size that was fixed are refused."""
    need(runtime)
    case, where = EXAMPLES[name], TARGETS[target]
    others = [larger(case, step) for step in STEPS]
    if reason := REFUSED.get((target, name)):
        with pytest.raises(Exception, match=reason.error):
            _require(where.outputs(case, others[:1]), target, others[:1])
        return
    is_open = where.is_open and takes_other_sizes(case)
    outputs = where.outputs(case, others)
    _require(outputs if is_open else outputs[:1], target, others)
    assert is_open or all(isinstance(output, str) for output in outputs[1:]), "of one size, and takes another"


def _require(outputs: list[Output], target: str, cases: list) -> None:
    """Raise for a refusal, and for numbers that are beyond their bounds."""
    for output, case in zip(outputs, cases, strict=False):
        if isinstance(output, str):
            raise RuntimeError(output)
        if target == "tflite_int8":
            int8.require(output, case)
        else:
            assert case.share(output) <= 1


# ---- SAME, and networks ----------------------------------------------------------------------------------------------


def _open_onnx(network, path: Path):
    """Export a network of images with three channels, at 24 x 24, its sizes left open."""
    import torch

    with contextlib.redirect_stdout(io.StringIO()):  # the exporter tells its progress
        to_onnx(network, (torch.randn(2, 3, 24, 24),), [(0, 2, 3)], path)
    return session(path)


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
    run = _open_onnx(network, tmp_path / "same.onnx")
    # A sum of so many products, then one of two pools: as many roundings as terms, each of the largest number.
    terms = 3 * length**2 + length**2 + 1
    for height in range(24, 24 + stride * stride):
        image = noise.normal(size=(2, 3, height, height + 1)).astype(np.float32)
        wanted = network(torch.tensor(image)).detach().numpy()
        largest = abs(image).max() * float(network.conv.weight.detach().abs().sum((1, 2, 3)).max())
        np.testing.assert_allclose(run(image), wanted, rtol=0, atol=terms * 2.0**-24 * largest)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("runtime", ["torch", "nnx"])
@pytest.mark.parametrize("padding", ["same", left("symmetric", "the same network with SAME, and its block alone")])
def test_a_network_of_any_size(runtime: str, padding: str, tmp_path: Path):
    """Strides take images of every size, also of one that is odd where that of the export was even."""
    need(runtime)
    block = core.SEResNet(5, depths=(1, 1), width=8, padding=padding)
    weights, noise = core.initialise(block, seed=0), np.random.default_rng(0)
    run = (_in_onnx if runtime == "torch" else _in_jax)(block, weights, tmp_path / "network.onnx")
    for size in ((24, 24), (25, 27), (30, 31), (33, 26)):
        image = noise.normal(size=(2, 3, *size)).astype(np.float32)
        wanted = bounded(block, weights, image)
        assert (abs(run(image) - wanted.values.output) <= wanted.bounds["output"]).all()


def _in_onnx(block, weights, path: Path):
    import attn_torch

    return _open_onnx(attn_torch.bind(block, weights).eval(), path)


def _in_jax(block, weights, path: Path):
    import jax
    import jax.export

    import attn_jax.nnx

    layer = attn_jax.nnx.bind(block, weights)
    layer.eval()
    batch, height, width = jax.export.symbolic_shape("b, h, w")
    given = jax.ShapeDtypeStruct((batch, height, width, block.channels), np.float32)
    exported = jax.export.export(jax.jit(lambda x: layer(x)))(given)
    return lambda image: np.asarray(exported.call(np.moveaxis(image, 1, -1)))


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
