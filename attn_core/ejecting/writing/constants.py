"""Constant matrices of integers, written as what they are made by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attn_core.spec import SpecError

MOST_NUMBERS = 64  # that are written one by one
MOST_AXES = 3


def constant(index: NDArray[np.intp]) -> str:
    """Return the expression of NumPy, or of the helper `ways`, that makes an index.

    **Raises** `SpecError` for one of many numbers that are made otherwise.
    """
    if index.shape[0] == 1 and (text := _circular(index[0])):
        return text
    for size in _sizes(index):
        if np.array_equal(index, ways(size)):
            return f"ways({', '.join(map(str, size))})"
    if index.size <= MOST_NUMBERS:
        return f"np.array({index.tolist()})"
    rule = f"constants of more than {MOST_NUMBERS} numbers are written if they follow a rule that is known"
    raise SpecError(f"the block takes numbers by an index of shape {index.shape}: {rule}; keep the layer instead.")


def ways(size: tuple[int, ...]) -> NDArray[np.intp]:
    """Return the helper's matrix: the number of the way from each position (row) to each other one (column)."""
    places = np.indices(size).reshape(len(size), -1)
    steps = places[:, None, :] - places[:, :, None]
    shifted = tuple(step + n - 1 for step, n in zip(steps, size, strict=True))
    found: NDArray[np.intp] = np.ravel_multi_index(shifted, tuple(2 * n - 1 for n in size))
    return found


def _circular(row: NDArray[np.intp]) -> str:
    """Return a line that goes on at its other end, or nothing."""
    length = int(row.max()) + 1
    reach = (len(row) - length) // 2
    if not np.array_equal(row, np.arange(-reach, length + reach) % length):
        return ""
    return f"np.arange(-{reach}, {length + reach})[None] % {length}" if reach else f"np.arange({length})[None]"


def _sizes(index: NDArray[np.intp]) -> Iterator[tuple[int, ...]]:
    """Yield the sizes of images whose ways this could be."""
    positions = index.shape[0]
    lengths = [n for n in range(1, positions + 1) if positions % n == 0]
    for axes in range(1, MOST_AXES + 1):
        for size in itertools.product(lengths, repeat=axes):
            if math.prod(size) == positions and math.prod(2 * n - 1 for n in size) == int(index.max()) + 1:
                yield size
