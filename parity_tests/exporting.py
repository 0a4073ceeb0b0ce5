"""What a layer is exported to, and runs there; the table of docs/export.md, every cell of which is a test.

A target exports a case's layer and returns what the result computes of several cases, or the sentence of a refusal.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from blocks import EXAMPLES
from cases import Case
from runtimes import in_keras

from attn_core.interpreters.shapes import output_shape

Output = np.ndarray | str
Exporter = Callable[[Case, Sequence[Case]], list[Output]]

# How much larger than at the export images are: four sizes, even and odd.
STEPS = (0, 1, 2, 5)


def larger(case: Case, step: int) -> Case:
    """Return a case with larger images."""
    return replace(case, shape=(*case.shape[:2], *(n + step for n in case.shape[2:])))


def takes_other_sizes(case: Case) -> bool:
    """Say whether the definition takes images of another size."""
    try:
        output_shape(case.block, *(array.shape for array in larger(case, 1).given))
    except ValueError:
        return False
    return True


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def _torch_layer(case: Case) -> Any:
    import attn_torch

    return attn_torch.bind(case.block, case.weights).eval()


def _tensors(case: Case) -> tuple[Any, ...]:
    import torch

    return tuple(torch.tensor(array, dtype=torch.float32) for array in case.given)


def _open_axes(case: Case) -> list[tuple[int, ...]]:
    """Return the axes whose sizes are left open: those of batches, and of images those of space where they may be."""
    space = tuple(range(2, len(case.shape))) if takes_other_sizes(case) else ()
    return [(0, *space) if i < case.block.images else (0,) for i in range(len(case.given))]


def torch_export(case: Case, others: Sequence[Case]) -> list[Output]:
    """Export by `torch.export`."""
    import torch

    sizes = tuple(dict.fromkeys(axes, torch.export.Dim.AUTO) for axes in _open_axes(case))
    exported = torch.export.export(_torch_layer(case), _tensors(case), dynamic_shapes=sizes).module()
    return _outputs(lambda each: exported(*_tensors(each)).detach().numpy(), others)


def torch_trace(case: Case, others: Sequence[Case]) -> list[Output]:
    """Export by `torch.jit.trace`."""
    import torch

    traced = torch.jit.trace(_torch_layer(case), _tensors(case))
    return _outputs(lambda each: traced(*_tensors(each)).detach().numpy(), others)


def torch_onnx(case: Case, others: Sequence[Case]) -> list[Output]:
    """Export to ONNX by the exporter of today, and run in ONNX Runtime."""
    return _in_onnx(case, others, to_onnx)


def torch_onnx_by_trace(case: Case, others: Sequence[Case]) -> list[Output]:
    """Export to ONNX by the exporter of TorchScript (`dynamo=False`)."""
    return _in_onnx(case, others, _to_onnx_by_trace)


def to_onnx(layer: Any, given: tuple[Any, ...], axes: Sequence[Sequence[int]], path: Path) -> None:
    """Export a PyTorch layer with these axes of its inputs left open."""
    import torch

    sizes = tuple(dict.fromkeys(each, torch.export.Dim.AUTO) for each in axes)
    torch.onnx.export(layer, given, dynamo=True, dynamic_shapes=sizes, verbose=False).save(path)


def _to_onnx_by_trace(layer: Any, given: tuple[Any, ...], axes: Sequence[Sequence[int]], path: Path) -> None:
    import torch

    names = [f"input{i}" for i in range(len(given))]
    sizes = {name: {axis: f"{name}_{axis}" for axis in each} for name, each in zip(names, axes, strict=True)}
    torch.onnx.export(layer, given, path, dynamo=False, input_names=names, dynamic_axes=sizes)


def _in_onnx(case: Case, others: Sequence[Case], export: Callable[..., None]) -> list[Output]:
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):  # they tell their progress
        path = Path(folder) / "layer.onnx"
        export(_torch_layer(case), _tensors(case), _open_axes(case), path)
        run = session(path)
    return _outputs(lambda each: run(*(array.astype(np.float32) for array in each.given)), others)


def session(path: Path) -> Callable[..., np.ndarray]:
    """Return a function that runs an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # a refusal is raised, and need not be printed, too
    opened = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in opened.get_inputs()]
    return lambda *given: opened.run(None, dict(zip(names, given, strict=True)))[0]


# ---- JAX -------------------------------------------------------------------------------------------------------------


def nnx_export(case: Case, others: Sequence[Case]) -> list[Output]:
    """Export an NNX layer by `jax.export`, with symbols for the sizes that are left open."""
    import jax
    import jax.export

    import attn_jax.nnx

    layer = attn_jax.nnx.bind(case.block, case.weights)
    layer.eval()
    symbols = dict(zip((0, *range(2, len(case.shape))), jax.export.symbolic_shape("b, h, w, d"), strict=False))
    shapes = []
    for axes, array in zip(_open_axes(case), case.given, strict=True):
        shape = [symbols[axis] if axis in axes else n for axis, n in enumerate(array.shape)]
        is_image = len(shapes) < case.block.images
        shapes.append((shape[0], *shape[2:], shape[1]) if is_image else tuple(shape))
    given = [jax.ShapeDtypeStruct(shape, np.float32) for shape in shapes]
    exported = jax.export.export(jax.jit(lambda *inputs: layer(*inputs)))(*given)
    saved = jax.export.deserialize(exported.serialize())
    return _outputs(lambda each: _canonical(np.asarray(saved.call(*each.channels_last))), others)


def _canonical(output: np.ndarray) -> np.ndarray:
    return np.moveaxis(output, -1, 1) if output.ndim > 2 else output


# ---- all of them -----------------------------------------------------------------------------------------------------


def _outputs(run: Callable[[Case], np.ndarray], others: Sequence[Case]) -> list[Output]:
    return [_output(run, other) for other in others]


def _output(run: Callable[[Case], np.ndarray], case: Case) -> Output:
    try:
        return run(case)
    except Exception as error:  # each tool has its own
        return f"{type(error).__name__}: {error}"


def _by_keras(function: str) -> Exporter:
    """Return a target of TensorFlow's, which is run in the process whose Keras has that backend."""
    return lambda case, others: in_keras("tensorflow", "keras_exports", function, case, others)


@dataclass(frozen=True)
class Target:
    """Where layers go: what the table calls it, the runtime that exports, and whether sizes can be left open."""

    title: str
    runtime: str
    outputs: Exporter
    is_open: bool = True


TARGETS = {
    "torch_export": Target("`torch.export`", "torch", torch_export),
    "torch_trace": Target("`torch.jit.trace`", "torch", torch_trace),
    "torch_onnx": Target("ONNX", "torch", torch_onnx),
    "torch_onnx_by_trace": Target("ONNX, `dynamo=False`", "torch", torch_onnx_by_trace),
    "nnx_export": Target("`jax.export`", "nnx", nnx_export),
    "saved_model": Target("SavedModel", "keras-tensorflow", _by_keras("saved_model")),
    "tflite": Target("TensorFlow Lite", "keras-tensorflow", _by_keras("tflite"), is_open=False),
    "tflite_int8": Target("its int8", "keras-tensorflow", _by_keras("tflite_int8"), is_open=False),
}


@dataclass(frozen=True)
class Reason:
    """Why a block does not go somewhere, for readers, and what is raised then."""

    sentence: str
    error: str


BEYOND = Reason("It runs, but is off by more than 255 steps of each array explain.", "of its bound")
ZERO = Reason("What it divides by becomes 0 in so few steps, which TensorFlow Lite refuses.", "DIV")
DELEGATE = Reason("TensorFlow Lite's delegate for processors, XNNPACK, does not take the converted network.", "XNNPACK")
VAGUE = Reason(
    "It runs, but after so many layers, 255 steps of each array may have changed every number.",
    "no bound",
)
IN_INT8 = {
    "AffineSampler": BEYOND,
    "EfficientMultiScaleAttention": BEYOND,
    "ExpectationMaximizationAttention": ZERO,
    "GlobalContext": BEYOND,
    "GridSampler": BEYOND,
    "HybridSN": VAGUE,
    "NonLocal": BEYOND,
    "PointwiseSpatialAttention": BEYOND,
    "SEResNet": DELEGATE,
    "SpatialTransformer": BEYOND,
}
REFUSED = {("tflite_int8", name): reason for name, reason in IN_INT8.items()}


def cell(target: str, name: str) -> str:
    """Return what the table says of a block and a target."""
    if (target, name) in REFUSED:
        return "no"
    return "any size" if TARGETS[target].is_open and takes_other_sizes(EXAMPLES[name]) else "one size"
