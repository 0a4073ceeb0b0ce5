"""Choices between numbers: comparisons, maxima and floors, and the doubt where errors could turn them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding.arithmetic import HOPELESS
from attn_core.interpreters.rounding.number import EXACT, Numbers, Pull, Rounded, acts, aligned, like
from attn_core.interpreters.rounding.sums import summed_to

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """What a comparison says, and where errors could make it say the opposite."""

    chosen: Mask
    doubt: Mask


def _compared(ufunc: Any) -> Any:
    def run(a: Any, b: Any) -> Choice:
        how = a.how if isinstance(a, Rounded) else b.how
        a, b = like(a, how), like(b, how)
        far = a.bound + b.bound
        doubt = (np.abs(a.value - b.value) <= far) & (far > 0)
        how.doubts["numbers at the bend of a function"] += int(doubt.sum())
        return Choice(ufunc(a.value, b.value), doubt)

    return run


for _ufunc in (np.less, np.less_equal, np.greater, np.greater_equal):
    acts(_ufunc)(_compared(_ufunc))


@acts(np.where)
def where(choice: Any, a: Any, b: Any) -> Any:
    """See `numpy.where`: what is in doubt may be either."""
    how = next((x.how for x in (a, b) if isinstance(x, Rounded)), None)
    if how is None or not isinstance(choice, Choice):
        return NotImplemented
    a, b = like(a, how), like(b, how)
    value = np.where(choice.chosen, a.value, b.value)
    noise = np.where(choice.chosen, aligned(a, value.ndim), aligned(b, value.ndim))
    doubt = np.where(choice.doubt, a.bound + b.bound + np.abs(a.value - b.value), 0.0)
    sources = ((a, _share(choice.chosen, choice.doubt, a.shape)), (b, _share(~choice.chosen, choice.doubt, b.shape)))
    return Rounded(value, _doubted(noise, doubt, a), how, sources)


@acts(np.max)
def largest(x: Rounded, axis: int, keepdims: bool = False) -> Rounded:
    """See `numpy.max`: any number that errors could make the largest may be it."""
    axis %= x.ndim
    place = np.expand_dims(x.value.argmax(axis), axis)
    top = np.take_along_axis(x.value, place, axis)
    chosen = np.zeros(x.shape, bool)
    np.put_along_axis(chosen, place, True, axis)
    bound = x.bound
    near = (top - x.value <= bound + np.take_along_axis(bound, place, axis)) & np.isfinite(x.value)
    several = near.sum(axis, keepdims=True) > 1
    x.how.doubts["ties of maxima"] += int(several.sum())
    noise = EXACT if x.exact else np.max(x.value + x.noise, axis + 1, keepdims=True) - top
    kept = top.shape
    share = _share(chosen, near & several, x.shape)
    result = Rounded(top, noise, x.how, ((x, lambda g: share(g.spread_to(x.shape))),))
    return result if keepdims else result.reshape(kept[:axis] + kept[axis + 1 :])


@acts(np.floor)
def floor(x: Rounded) -> Numbers:
    """See `numpy.floor`, constant for every derivative; where it could be another, nothing is known of those of x."""
    x.whole.kinks = kinks = np.abs(x.value - np.rint(x.value)) <= x.bound
    x.how.doubts["sampling points on a pixel"] += int(kinks.sum())
    return np.asarray(np.floor(x.value))


def unknown_at_kinks(x: Rounded, adjoint: Rounded) -> Rounded:
    """Return the adjoint of numbers, of which nothing is known where their derivative jumps."""
    if x.kinks is None or not x.kinks.any():
        return adjoint
    return Rounded(adjoint.value, _doubted(adjoint.noise, x.kinks * HOPELESS, adjoint), adjoint.how)


def _doubted(noise: Numbers, doubt: Numbers, x: Rounded) -> Numbers:
    """Return noise so large that its bound is at least the doubt."""
    return noise + x.how.draw(doubt / x.how.width) * 2 if doubt.any() else noise


def _share(chosen: Mask, doubt: Mask, own: tuple[int, ...]) -> Pull:
    """Return the pull that takes the adjoint where something was chosen, and perhaps where that is in doubt."""

    def pull(g: Rounded) -> Rounded:
        noise = _doubted(np.where(chosen, g.noise, 0.0), np.where(doubt, np.abs(g.value) + g.bound, 0.0), g)
        return summed_to(Rounded(np.where(chosen, g.value, 0.0), noise if noise.ndim > g.ndim else EXACT, g.how), own)

    return pull
