"""Between blocks, canonical weights and Keras layers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from attn_core.spec import Block
from attn_core.weights import canonical
from attn_tf.initializers import blank
from attn_tf.layer import Layer, build
from attn_tf.names import LEAVES, from_canonical, to_canonical


def bind(block: Block, weights: Mapping[str, ArrayLike] | None = None, **options: Any) -> Layer:
    """Return the built layer for a block, with these canonical weights or fresh ones.

    `options` are those of every Keras layer (`name`, `dtype`) and `data_format`.
    **Raises** `attn_core.WeightsError` if the weights are not the block's.
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
    """Return a built layer's canonical weights as NumPy arrays.

    **Raises** `ValueError` if the layer has no weights yet.
    """
    if not layer.built:
        raise ValueError(f"{layer.name} has no weights yet: call it on an image, or build it, first.")
    found = {
        name: to_canonical(variable, np.asarray(keras.ops.convert_to_numpy(variable.value)))
        for name, variable in variables(layer).items()
    }
    return canonical.check(layer.block, found)


def variables(layer: Layer) -> dict[str, Any]:
    """Return a built layer's variables by their canonical names."""
    found: dict[str, Any] = {}
    for name, part in layer.block.parts().items():
        child = getattr(layer, name)
        inner = (
            variables(child)
            if isinstance(part, Block)
            else {leaf: getattr(child, LEAVES[type(part)][leaf]) for leaf in part.arrays()}
        )
        found |= {f"{name}.{leaf}": variable for leaf, variable in inner.items()}
    return found


def load(path: str | os.PathLike[str], **options: Any) -> Layer:
    """Return the layer that a file of `attn_core.save` describes, with its weights."""
    return bind(*canonical.load(path), **options)


def _assign(layer: Layer, arrays: canonical.Weights) -> None:
    for name, variable in variables(layer).items():
        variable.assign(from_canonical(variable, arrays[name]))
