"""The maximum along an axis, of which the first of equal numbers has the derivative (`attn_core.spec.primitives`).

On processors `argmax` looks at number after number, and takes several times as long as a maximum. So the axis is cut
into pieces, of which the maxima are kept: the index is looked for among them, and then in one piece.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

INDEX = {"tensorflow": "int64", "jax": "int32"}  # the widest that each has by default


def largest(x: Any, axis: int) -> Any:
    """Return the maximum along an axis, which stays."""
    if keras.backend.backend() == "torch":  # which neither compiles nor maps over gradients of Keras' own
        return ops.take_along_axis(x, ops.argmax(x, axis, keepdims=True), axis)
    return _forward_and_back(axis)(x)


def _forward_and_back(axis: int) -> Any:
    """Return the function with its derivative; the index, which costs more than the maximum, is for the latter only."""

    @ops.custom_gradient
    def run(x: Any) -> Any:
        sizes = list(ops.shape(x))
        line = _Line(math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :]))
        tops = line.tops(x)

        def back(*upstream: Any, **named: Any) -> Any:
            (moved,) = upstream or named.values()  # Keras' backends call it in either way
            first = line.first(x, tops)
            if keras.backend.backend() == "tensorflow":
                return ops.reshape(line.scattered(moved, first), sizes)
            # XLA computes this with what is added to it, and scatters number after number.
            return ops.reshape(line.chosen(moved, first), sizes)

        sizes_of_one = [*sizes[:axis], 1, *sizes[axis + 1 :]]
        return _with_a_range_of_its_own(ops.reshape(ops.amax(tops, 1), sizes_of_one)), back

    return run


def _with_a_range_of_its_own(x: Any) -> Any:
    """Return x, halved and doubled, which changes no number, for TensorFlow Lite's converter to int8.

    A maximum has the range of its operand there, and what is concatenated that of the result: the planes of CBAM's
    spatial attention would cut the image to their own range.
    """
    return x * 0.5 * 2 if keras.backend.backend() == "tensorflow" else x


class _Line:
    """An axis of so many numbers, with what stands before and after it: an array is (before, length, after)."""

    def __init__(self, before: Any, length: Any, after: Any) -> None:
        self.before, self.length, self.after = map(_number, (before, length, after))
        self.pieces = _pieces(length)
        self.each = length // self.pieces

    def tops(self, x: Any) -> Any:
        """Return the maximum of each piece: (before, pieces, after)."""
        return ops.amax(ops.reshape(x, (self.before, self.pieces, self.each, self.after)), 2)

    def first(self, x: Any, tops: Any) -> Any:
        """Return where the first of the largest is: (before, 1, after).

        Comparing all numbers with the maximum would be wrong at times: see `attn_jax.maxima`.
        """
        if self.pieces == 1:
            return self._argmax(ops.reshape(x, (self.before, self.length, self.after)))
        chosen = self._argmax(tops)
        return chosen * self.each + self._argmax(self._piece(x, chosen))

    def _piece(self, x: Any, chosen: Any) -> Any:
        """Return the chosen pieces: (before, each, after)."""
        rows = self._rows() * self.pieces + chosen
        if isinstance(self.after, int) and self.after == 1:
            whole = ops.reshape(x, (self.before * self.pieces, self.each))
            return ops.expand_dims(ops.take(whole, ops.reshape(rows, (-1,)), axis=0), 2)
        places = ops.reshape(self._count(self.each), (1, -1, 1)) + rows * self.each
        return ops.take(ops.reshape(x, (-1,)), places * self.after + self._columns())

    def scattered(self, moved: Any, first: Any) -> Any:
        """Return zeros, but for what moves the first of the largest, as a line of numbers."""
        at = (self._rows() * self.length + first) * self.after + self._columns()
        size = self.before * self.length * self.after
        return ops.scatter(ops.reshape(at, (-1, 1)), ops.reshape(moved, (-1,)), (size,))

    def chosen(self, moved: Any, first: Any) -> Any:
        """Return the same as an array (before, length, after)."""
        is_first = ops.equal(ops.reshape(self._count(self.length), (1, -1, 1)), first)
        moved = ops.reshape(moved, (self.before, 1, self.after))
        return ops.where(is_first, moved, ops.zeros_like(moved))

    def _argmax(self, x: Any) -> Any:
        return ops.cast(ops.argmax(x, 1, keepdims=True), INDEX[keras.backend.backend()])

    def _rows(self) -> Any:
        return ops.reshape(self._count(self.before), (-1, 1, 1))

    def _columns(self) -> Any:
        return ops.reshape(self._count(self.after), (1, 1, -1))

    def _count(self, number: Any) -> Any:
        return ops.arange(number, dtype=INDEX[keras.backend.backend()])


def _number(size: Any) -> Any:
    """Return a size as indices are computed with; of an axis of any length, TensorFlow knows it as a short integer."""
    is_open = keras.backend.backend() == "tensorflow" and not isinstance(size, int)
    return ops.cast(size, INDEX["tensorflow"]) if is_open else size


def _pieces(length: Any) -> int:
    """Return a number of pieces that divides a length, such that there are some numbers in each; 1 of a symbol."""
    if not isinstance(length, int):
        return 1
    return max((n for n in range(2, math.isqrt(length) // 2 + 1) if length % n == 0), default=1)
