"""Functions that only move numbers: nothing is rounded until their adjoints add up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding.number import EXACT, Pull, Rounded, acts, like
from attn_core.interpreters.rounding.sums import added

Numbers = NDArray[Any]


@acts("move")
def moved(x: Rounded, move: Callable[[Numbers], Numbers]) -> Rounded:
    """Apply a function that puts each number somewhere, perhaps several times."""
    places = move(np.arange(x.size).reshape(x.shape))
    noise = EXACT if x.exact else x.noise.reshape(len(x.noise), -1)[:, places]
    return Rounded(x.value.ravel()[places], noise, x.how, ((x, lambda g: _back(places, x.shape, g)),))


@acts(np.pad)
def pad(x: Rounded, widths: Any, constant_values: float = 0.0) -> Rounded:
    """Put exact numbers around."""
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
    noise = EXACT if x.exact else np.pad(x.noise, [(0, 0), *widths])
    value = np.pad(x.value, widths, constant_values=constant_values)
    return Rounded(value, noise, x.how, ((x, lambda g: g[inside]),))


@acts(np.split)
def split(x: Rounded, pieces: int, axis: int = 0) -> list[Rounded]:
    """Cut into equal pieces."""
    length = x.shape[axis] // pieces
    return [x[_slice(x.ndim, axis, i * length, (i + 1) * length)] for i in range(pieces)]


@acts(np.concatenate)
def concatenate(pieces: Sequence[Any], axis: int = 0) -> Rounded:
    """Put one behind the other."""
    how = next(piece.how for piece in pieces if isinstance(piece, Rounded))
    every = [like(piece, how) for piece in pieces]
    axis %= every[0].ndim
    ends = np.cumsum([piece.shape[axis] for piece in every])
    cuts = [_slice(piece.ndim, axis, end - piece.shape[axis], end) for piece, end in zip(every, ends, strict=True)]
    value = np.concatenate([piece.value for piece in every], axis)
    noises = [np.broadcast_to(piece.noise, (how.samples, *piece.shape)) for piece in every]
    noise = EXACT if all(piece.exact for piece in every) else np.concatenate(noises, axis + 1)
    return Rounded(value, noise, how, tuple(zip(every, map(_cut, cuts), strict=True)))


def _slice(ndim: int, axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None),) * (axis % ndim), slice(start, stop))


def _cut(place: tuple[slice, ...]) -> Pull:
    return lambda g: g[place]


def _back(places: Numbers, shape: tuple[int, ...], g: Rounded) -> Rounded:
    """Add up what comes back to each place."""
    size, at = int(np.prod(shape)), places.ravel()

    def total(numbers: Numbers) -> Numbers:
        return np.bincount(at, numbers.ravel(), size).reshape(shape)

    counts = np.bincount(at, minlength=size).reshape(shape)
    value, noise = total(g.value), g.noise if g.exact else np.stack([total(sample) for sample in g.noise])
    if (counts <= 1).all():
        return Rounded(value, noise, g.how)
    return added(value, noise, g.how, counts, total(g.value**2), step=g.how.storing)
