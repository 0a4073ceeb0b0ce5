"""Keras, on whichever backend it runs, as a runtime of `attn_core.parity`.

On its torch backend Keras 3.15 multiplies matrices of float64 in float32: there, float64 is good to 1e-6 only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters import trace
from attn_core.interpreters.trace import Interpreter, Step
from attn_core.parity import Outcome
from attn_core.spec import Block
from attn_tf.binding import bind, variables
from attn_tf.layer import Layer
from attn_tf.names import to_canonical
from attn_tf.passes import through_layer


def refuses(dtype: str) -> str:
    """Say why nothing is promised for a dtype, if so."""
    if dtype == "float64" and keras.backend.backend() == "torch":
        return "on its torch backend, Keras 3.15 multiplies matrices of float64 in float32"
    return ""


def run(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: NDArray[Any] | tuple[NDArray[Any], ...],
    cotangent: NDArray[Any] | None = None,
    dtype: str = "float32",
    train: bool = False,
    data_format: str = "channels_last",
) -> Outcome:
    """Run the layer; see `attn_core.parity.Runtime`."""
    with _precision(dtype):
        layer = bind(block, weights, dtype=dtype, data_format=data_format)
        inputs = _inputs(block, x, dtype, data_format)
        gates = {name: _canonical(gate, data_format) for name, gate in layer.gates(*inputs).items()}
        pull = None if cotangent is None else keras.ops.convert_to_tensor(_native(cotangent, data_format), dtype)
        output, found, _ = through_layer(layer, inputs, pull, train=train)
        gradients = {} if cotangent is None else _named(layer, found, data_format)
        return Outcome(_canonical(output, data_format), gates, gradients, _statistics(layer) if train else {})


def steps(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: NDArray[Any] | tuple[NDArray[Any], ...],
    dtype: str = "float32",
    data_format: str = "channels_last",
) -> list[Step]:
    """Run the block outside of training, step by step; see `attn_core.parity.Runtime`."""
    with _precision(dtype):
        layer = bind(block, weights, dtype=dtype, data_format=data_format)
        inputs = _inputs(block, x, dtype, data_format)
        found = trace.steps(block, layer, Interpreter(layer.images, getattr, lambda part, own: own), inputs)
        return [Step(step.name, step.kind, _numpy(step.output)) for step in found]


def _named(layer: Layer, gradients: Sequence[Any], data_format: str) -> dict[str, NDArray[np.float64]]:
    """Name the gradients of inputs and `layer.trainable_variables`."""
    count = len(layer.block.inputs)
    images = layer.block.images
    of_images = [_canonical(gradient, data_format) for gradient in gradients[:images]]
    of_inputs = [*of_images, *map(_numpy, gradients[images:count])]
    of_variables = dict(zip(map(id, layer.trainable_variables), gradients[count:], strict=True))
    of_weights = {
        name: to_canonical(variable, _numpy(of_variables[id(variable)]))
        for name, variable in variables(layer).items()
        if variable.trainable
    }
    return {**dict(zip(layer.block.inputs, of_inputs, strict=True)), **of_weights}


def _statistics(layer: Layer) -> dict[str, NDArray[np.float64]]:
    return {name: _numpy(variable.value) for name, variable in variables(layer).items() if not variable.trainable}


def _precision(dtype: str) -> Any:
    if keras.backend.backend() != "jax":
        return nullcontext()
    import jax

    return jax.enable_x64(dtype == "float64")


# ---- layouts: what has three axes or more is an image ----------------------------------------------------------------


def _inputs(block: Block, x: NDArray[Any] | tuple[NDArray[Any], ...], dtype: str, data_format: str) -> list[Any]:
    given = x if isinstance(x, tuple) else (x,)
    images = [_native(array, data_format) for array in given[: block.images]]
    return [keras.ops.convert_to_tensor(array, dtype) for array in (*images, *given[block.images :])]


def _native(x: NDArray[Any], data_format: str) -> NDArray[Any]:
    return np.moveaxis(x, 1, -1) if data_format == "channels_last" and x.ndim > 2 else x


def _canonical(x: Any, data_format: str) -> NDArray[np.float64]:
    array = _numpy(x)
    return np.moveaxis(array, -1, 1) if data_format == "channels_last" and array.ndim > 2 else array


def _numpy(x: Any) -> NDArray[np.float64]:
    return np.asarray(keras.ops.convert_to_numpy(x)).astype(np.float64)
