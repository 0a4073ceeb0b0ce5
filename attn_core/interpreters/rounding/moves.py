"""Functions that only move numbers: nothing is rounded until their adjoints add up again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding.acting import MOVE, acts
from attn_core.interpreters.rounding.number import EXACT, Origin, Rounded
from attn_core.interpreters.rounding.storing import like
from attn_core.interpreters.rounding.sums import added

Numbers = NDArray[Any]


@acts(MOVE)
def moved(x: Rounded, move: Callable[[Numbers], Numbers]) -> Rounded:
    """Apply a function that puts each number somewhere, perhaps several times."""
    # It moves the places once, and these say for values, samples and adjoints where each number went.
    places = move(np.arange(x.size).reshape(x.shape))
    noise = EXACT
    if not x.exact:
        samples = x.noise.reshape(len(x.noise), -1)
        noise = samples[:, places]
    to_x = Origin(x, lambda g: _back(places, x.shape, g))
    return Rounded(x.value.ravel()[places], noise, x.how, (to_x,))


def _back(places: Numbers, shape: tuple[int, ...], g: Rounded) -> Rounded:
    """Add up what comes back to each place."""
    size = math.prod(shape)
    flat = places.ravel()

    def total(numbers: Numbers) -> Numbers:
        return np.bincount(flat, numbers.ravel(), size).reshape(shape)

    value = total(g.value)
    noise = g.noise
    if not g.exact:
        noise = np.stack([total(sample) for sample in g.noise])
    counts = np.bincount(flat, minlength=size).reshape(shape)
    if (counts <= 1).all():
        return Rounded(value, noise, g.how)
    # Frameworks add up adjoints in the dtype itself, as JAX does in bfloat16.
    return added(value, noise, g.how, counts, total(g.value**2), step=g.how.storing)


@acts(np.pad)
def pad(x: Rounded, widths: Any, constant_values: float = 0.0) -> Rounded:
    """Put exact numbers around."""
    value = np.pad(x.value, widths, constant_values=constant_values)
    noise = EXACT
    if not x.exact:
        noise = np.pad(x.noise, [(0, 0), *widths])
    starts = [before for before, _ in widths]
    inside = tuple(map(_slice, starts, x.shape))
    return Rounded(value, noise, x.how, (_cut(x, inside),))


@acts(np.split)
def split(x: Rounded, pieces: int, axis: int = 0) -> list[Rounded]:
    """Cut into equal pieces."""
    length = x.shape[axis] // pieces
    starts = [i * length for i in range(pieces)]
    return [x[_along(x.ndim, axis, start, length)] for start in starts]


@acts(np.concatenate)
def concatenate(pieces: Sequence[Any], axis: int = 0) -> Rounded:
    """Put one behind the other."""
    how = next(piece.how for piece in pieces if isinstance(piece, Rounded))
    every = [like(piece, how) for piece in pieces]
    axis %= every[0].ndim
    value = np.concatenate([piece.value for piece in every], axis)
    noise = EXACT
    if not all(piece.exact for piece in every):
        noises = [_samples(piece) for piece in every]
        noise = np.concatenate(noises, axis + 1)
    return Rounded(value, noise, how, tuple(_cuts(every, axis)))


def _samples(x: Rounded) -> Numbers:
    """Return the noise of a number with its axis of samples, also if it is exact."""
    return np.broadcast_to(x.noise, (x.how.samples, *x.shape))


def _cuts(pieces: Sequence[Rounded], axis: int) -> list[Origin]:
    """Return the way back to each of the pieces: the part of the adjoint where it stands."""
    sources, start = [], 0
    for piece in pieces:
        length = piece.shape[axis]
        sources.append(_cut(piece, _along(piece.ndim, axis, start, length)))
        start += length
    return sources


def _cut(piece: Rounded, place: tuple[slice, ...]) -> Origin:
    return Origin(piece, lambda g: g[place])


def _along(ndim: int, axis: int, start: int, length: int) -> tuple[slice, ...]:
    """Return the index of so many places along one axis, and of all before it."""
    before = (slice(None),) * (axis % ndim)
    return (*before, _slice(start, length))


def _slice(start: int, length: int) -> slice:
    return slice(start, start + length)
