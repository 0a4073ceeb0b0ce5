"""Reading a grid, such as a detector adds to its boxes, off the numbers that it had in both runs of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.steps.lift import Unsupported
from attn_core.porting.network.steps.steps import Array

NEAR = 1e-5  # of the largest number: the graph may compute its grid in float32
UNKNOWN = "it reads numbers that follow the image's size, but are no places along its axes"


class _Line(NamedTuple):
    """Numbers that go along an axis in equal steps, in one run."""

    axis: int
    first: float
    step: float
    length: int


class Unit(NamedTuple):
    """How places are counted: from `start`, and in shares of their number `less` one or none."""

    start: float
    less: int | None

    def measured(self, line: _Line) -> tuple[float, float]:
        """Return what a line is of places so counted: times and plus."""
        times = line.step if self.less is None else line.step * (line.length - self.less)
        shift = self.start * line.step
        return times, line.first - shift


# In pixels; in shares of the length from its start; at the middles of pixels; from the first pixel to the last.
_UNITS = (Unit(0, None), Unit(0, 0), Unit(0.5, 0), Unit(0, 1))


class Grid(NamedTuple):
    """Places along axes of an array, and the numbers that are made of them: times and plus, one for each axis."""

    axes: tuple[int, ...]
    unit: Unit
    times: tuple[float, ...]
    plus: tuple[float, ...]


def grid_of(runs: Sequence[Array]) -> Grid:
    """Read a grid, of one image. **Raises** `Unsupported` if it is none."""
    found = [_lines(array) for array in runs]
    # Each line in all runs: its length follows the image's size, its axis may not.
    lines = list(zip(*found, strict=True))
    for in_runs in lines:
        axes = {line.axis for line in in_runs}
        if len(axes) > 1:
            raise Unsupported(UNKNOWN)
    for unit in _UNITS:
        measured = [_measured(unit, in_runs) for in_runs in lines]
        known = [numbers for numbers in measured if numbers is not None]
        if len(known) == len(lines):
            times, plus = zip(*known, strict=True)
            along = tuple(in_runs[0].axis for in_runs in lines)
            return Grid(along, unit, tuple(map(rounded, times)), tuple(map(rounded, plus)))
    raise Unsupported(UNKNOWN)


def _measured(unit: Unit, in_runs: Sequence[_Line]) -> tuple[float, float] | None:
    """Return times and plus of a line if they are the same in all runs, else None."""
    first, *others = (unit.measured(line) for line in in_runs)
    are_same = all(_near(np.array(other), np.array(first)) for other in others)
    return first if are_same else None


def rounded(number: float) -> float:
    """Return a number as a program would have written it: what was computed in float32 has seven digits."""
    return shortest(round(number, 6))


def _lines(array: Array) -> Iterator[_Line]:
    """Yield the line of each entry of the last axis, or of the array if its last axis is one of places or of one."""
    *others, length = array.shape
    along = _along(array)
    if length == 1 or along == len(others):
        yield _line(array)
        return
    for place in range(length):
        entry = array[..., place : place + 1]
        yield _line(entry)


def _along(array: Array) -> int | None:
    """Return the one axis along which numbers differ; None if there are several, or none."""
    axes = [axis for axis, size in enumerate(array.shape) if size > 1 and np.ptp(array, axis=axis).any()]
    return axes[0] if len(axes) == 1 else None


def _line(array: Array) -> _Line:
    axis = _along(array)
    if axis is None:
        raise Unsupported(UNKNOWN)
    # Numbers differ along this axis alone: any line along it is as good as the first.
    rows = np.moveaxis(array, axis, -1)
    length = array.shape[axis]
    numbers = rows.reshape(-1, length)[0].astype(np.float64)
    first, last = float(numbers[0]), float(numbers[-1])
    step = (last - first) / (length - 1)
    straight = first + step * np.arange(length)
    if not _near(straight, numbers):
        raise Unsupported(UNKNOWN)
    return _Line(axis, first, step, length)


def _near(found: Array, wanted: Array) -> bool:
    """Whether numbers are the same but for the rounding of float32."""
    distance = np.abs(found - wanted)
    largest = np.abs(wanted).max()
    bound = NEAR * max(1.0, largest)
    return bool((distance <= bound).all())
