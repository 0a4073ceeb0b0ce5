"""The maximum along an axis, of which the first of equal numbers has the derivative (`attn_core.spec.primitives`)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def largest(x: Any, axis: int) -> Any:
    """Return the maximum along an axis, which stays."""
    if keras.backend.backend() == "torch":  # which neither compiles nor maps over gradients of Keras' own
        return ops.take_along_axis(x, ops.argmax(x, axis, keepdims=True), axis)
    return _forward_and_back(axis)(x)


def _forward_and_back(axis: int) -> Any:
    """Return the function with its derivative; the index, which costs more than the maximum, is for the latter only."""

    @ops.custom_gradient
    def run(x: Any) -> Any:
        def back(*upstream: Any, **named: Any) -> Any:
            (moved,) = upstream or named.values()  # Keras' backends call it in either way
            chosen = _is_first_largest(x, axis)
            return ops.where(chosen, moved, ops.zeros_like(moved))

        return _with_a_range_of_its_own(ops.amax(x, axis, keepdims=True)), back

    return run


def _with_a_range_of_its_own(x: Any) -> Any:
    """Return x, halved and doubled, which changes no number, for TensorFlow Lite's converter to int8.

    A maximum has the range of its operand there, and what is concatenated that of the result: the planes of CBAM's
    spatial attention would cut the image to their own range.
    """
    return x * 0.5 * 2 if keras.backend.backend() == "tensorflow" else x


def _is_first_largest(x: Any, axis: int) -> Any:
    """Tell of each number whether it is the first of the largest along the axis.

    Comparing with the maximum would be faster, and wrong at times: see `attn_jax.ops`.
    """
    line = [1] * len(x.shape)
    line[axis] = -1
    first = ops.cast(ops.argmax(x, axis, keepdims=True), "int32")
    places = ops.reshape(ops.arange(ops.shape(x)[axis], dtype="int32"), line)
    return ops.equal(places, first)
