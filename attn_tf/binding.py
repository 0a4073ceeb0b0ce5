"""Between blocks, canonical weights and Keras layers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.spec import Block
from attn_core.weights import canonical
from attn_tf.graphs import in_session
from attn_tf.initializers import blank
from attn_tf.layer import Layer, build
from attn_tf.names import LEAVES, from_canonical, to_canonical


def bind(block: Block, weights: Mapping[str, ArrayLike] | None = None, **options: Any) -> Layer:
    """Return the built layer for a block, with these canonical weights or fresh ones.

    `options` are those of every Keras layer (`name`, `dtype`) and `data_format`.
    **Raises** `attn_core.WeightsError` if the weights are not the block's; `ValueError` for weights in a graph of
    `tf.compat.v1`.
    """
    arrays = None if weights is None else canonical.check(block, weights)
    token = blank.set(blank.get() or arrays is not None)  # also for the blocks inside
    try:
        layer = build(block, **options)
    finally:
        blank.reset(token)
    if arrays is not None:
        _assign(layer, arrays)
    return layer


def weights(layer: Layer) -> canonical.Weights:
    """Return a built layer's canonical weights as NumPy arrays; int8 kernels as the numbers they stand for.

    **Raises** `ValueError` if the layer has no weights yet, or has them in a form that is no plain array, as int4, or
    in a graph of `tf.compat.v1`.
    """
    if not layer.built:
        raise ValueError(f"{layer.name} has no weights yet: call it on an image, or build it, first.")
    if in_session(layer):
        way = "session.run([variable.value for variable in layer.variables])"
        raise ValueError(f"{layer.name} is in a graph of tf.compat.v1, where a session holds the weights: {way}.")
    found = {name: to_canonical(variable, values(variable, child)) for name, variable, child in _held(layer)}
    return canonical.check(layer.block, found)


def values(variable: Any, child: Any) -> NDArray[Any]:
    """Return the numbers that a layer computes with for one of its variables."""
    mode = getattr(child, "quantization_mode", None)
    if mode not in (None, "int8", "float8") or getattr(child, "lora_enabled", False):
        form = f"quantised to {mode}" if mode else "a sum with LoRA"
        raise ValueError(f"{child.path} is {form}, whose weights are no plain arrays: take them before that.")
    array: NDArray[Any] = np.asarray(keras.ops.convert_to_numpy(variable.value))
    if mode == "int8" and variable.name == "kernel":
        array = array / np.asarray(keras.ops.convert_to_numpy(child.kernel_scale))
    return array


def variables(layer: Layer) -> dict[str, Any]:
    """Return a built layer's variables by their canonical names."""
    return {name: variable for name, variable, _ in _held(layer)}


def _held(layer: Layer) -> Iterator[tuple[str, Any, Any]]:
    """Yield the canonical name of each array, its variable, and the layer that holds it."""
    for name, part in layer.block.parts().items():
        child = getattr(layer, name)
        if isinstance(part, Block):
            yield from ((f"{name}.{leaf}", *held) for leaf, *held in _held(child))
            continue
        for leaf in part.arrays():
            yield f"{name}.{leaf}", getattr(child, LEAVES[type(part)][leaf]), child


def load(path: str | os.PathLike[str], **options: Any) -> Layer:
    """Return the layer that a file of `attn_core.save` describes, with its weights."""
    return bind(*canonical.load(path), **options)


def _assign(layer: Layer, arrays: canonical.Weights) -> None:
    if in_session(layer):  # what is assigned while a graph is built, no session would do
        raise ValueError(
            f"{layer.name} is in a graph of tf.compat.v1, where a session gives variables their values: "
            "bind the block without weights, then restore them with a Saver, or run `assign` of each variable."
        )
    for name, variable in variables(layer).items():
        variable.assign(from_canonical(variable, arrays[name]))
