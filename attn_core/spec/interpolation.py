"""What every runtime needs to interpolate: the matrices of linear maps along one axis, in NumPy, and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mean_matrix(size: int, bins: int) -> NDArray[np.float64]:
    """Return (bins, size): row i means the pixels from floor(i size / bins) to ceil((i + 1) size / bins) - 1."""
    first = np.arange(bins) * size // bins
    last = -(-np.arange(1, bins + 1) * size // bins)
    pixel = np.arange(size)
    inside = (pixel >= first[:, None]) & (pixel < last[:, None])
    means: NDArray[np.float64] = inside / inside.sum(1, keepdims=True)
    return means


def resize_matrix(size: int, target: int, align_corners: bool = True) -> NDArray[np.float64]:
    """Return (target, size): linear interpolation with both ends' centres aligned, or their edges.

    A single target pixel is the first, or the middle.
    """
    if align_corners:
        places = np.arange(target) * ((size - 1) / (target - 1) if target > 1 else 0.0)
    else:
        places = np.clip((np.arange(target) + 0.5) * (size / target) - 0.5, 0, size - 1)
    distance = np.abs(places[:, None] - np.arange(size))
    weights: NDArray[np.float64] = np.maximum(0.0, 1.0 - distance)
    return weights


def coordinates(pixels: int, align_corners: bool) -> NDArray[np.float64]:
    """Return the pixels' coordinates; -1 and 1 are the outermost pixels' centres if corners are aligned, or edges."""
    if align_corners:
        return np.linspace(-1.0, 1.0, pixels) if pixels > 1 else np.zeros(1)
    return (2 * np.arange(pixels) + 1) / pixels - 1


def completed(size: Sequence[Any], own: Sequence[Any]) -> tuple[Any, ...]:
    """Return the size with an image's own in place of each None."""
    return tuple(n if wanted is None else wanted for wanted, n in zip(size, own, strict=True))
