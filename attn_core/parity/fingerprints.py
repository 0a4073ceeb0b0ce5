"""An array in one number, and how far that number may be off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 1e-12  # of a step, relative to what its fingerprint adds up
ADDING = 2.0**-48  # likewise: what the sum of some thousand numbers rounds, in any order


@dataclass(frozen=True)
class Fingerprint:
    """The sum of an array's numbers, each times a number of its own; equal arrays agree within the bound."""

    value: float
    bound: float

    def agrees(self, pin: float | None) -> bool:
        """Whether a number that was computed once, perhaps on another machine, is that of the same array."""
        return pin is not None and abs(self.value - pin) <= self.bound


def of_array(array: NDArray[Any], bounds: NDArray[Any]) -> Fingerprint:
    """Return the fingerprint of an array, given how far each of its numbers may be off."""
    bound = float((_pattern(array.shape) * bounds).sum()) + ADDING * _size(array)
    return Fingerprint(_sum(array), bound) if np.isfinite(bound) else of_step(array)


def of_step(array: NDArray[Any]) -> Fingerprint:
    """Return the fingerprint of an array of which no bounds are known."""
    return Fingerprint(_sum(array), DIGITS * _size(array))


def _sum(array: NDArray[Any]) -> float:
    return float((array * _pattern(array.shape)).sum())


def _size(array: NDArray[Any]) -> float:
    return float(np.abs(array * _pattern(array.shape)).sum())


def _pattern(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return numbers between 1 and 2, no two alike: multiples of the golden ratio, without their whole part."""
    places = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)
    return 1 + (places * 0.6180339887498949 % 1).reshape(shape)
