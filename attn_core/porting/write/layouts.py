"""Weights as Keras and Flax lay them out: images are (batch, *space, channels)."""

from __future__ import annotations

import numpy as np

from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.write.region import WEIGHTED


def channels_last(step: Step, leaf: str, array: Array) -> Array:
    """Lay a canonical array out as Keras and Flax do: kernels (*space, in, out), transposed (*space, out, in)."""
    if step.kind == "attention":
        return _of_block(array)
    if step.kind in ("conv", "depthwise", "transposed") and leaf == "weight":
        return _kernel(array)
    if step.kind == "dense" and leaf == "weight":
        return _dense(step, array)
    if step.kind not in WEIGHTED and step.fields["image"]:  # plain weights that lie against an image
        return np.moveaxis(array, 0, -1)
    return array


def _kernel(array: Array) -> Array:
    """Put the two axes of channels last, and turn them round."""
    space = range(2, array.ndim)
    return array.transpose(*space, 1, 0)


def _of_block(array: Array) -> Array:
    """Lay out any of a block's arrays: what has two axes or more is a kernel (out, in, *space)."""
    return _kernel(array) if array.ndim > 1 else array


def _dense(step: Step, array: Array) -> Array:
    """Order the rows as an image is flattened here, if it is one that the layer reads."""
    image = step.fields["image"]
    if image:
        by_pixel = np.moveaxis(array.reshape(-1, *image), 1, -1)
        array = by_pixel.reshape(array.shape)
    return array.T


def keras_layout(step: Step, leaf: str, array: Array) -> Array:
    """Lay an array out as Keras does, which keeps a depthwise kernel as (*space, in, multiplier)."""
    if step.kind != "depthwise" or leaf != "weight":
        return channels_last(step, leaf, array)
    by_input = array.reshape(step.fields["inputs"], -1, *array.shape[2:])
    space = range(2, by_input.ndim)
    return by_input.transpose(*space, 0, 1)
