"""Choices between numbers: comparisons, maxima and floors, and the doubt where errors could turn them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding.acting import acts
from attn_core.interpreters.rounding.number import EXACT, Numbers, Origin, Pull, Rounded
from attn_core.interpreters.rounding.storing import aligned, likened
from attn_core.interpreters.rounding.sums import summed_to

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """What a comparison says, and where errors could make it say the opposite."""

    chosen: Mask
    doubt: Mask


def _comparison(ufunc: Callable[[Numbers, Numbers], Mask]) -> Callable[[Any, Any], Choice]:
    def run(one: Any, other: Any) -> Choice:
        a, b = likened(one, other)
        reach = a.bound + b.bound
        distance = np.abs(a.value - b.value)
        # Of exact numbers, even equal ones, there is no doubt: all runtimes decide alike.
        doubt = (distance <= reach) & (reach > 0)
        a.how.doubts["numbers at the bend of a function"] += int(doubt.sum())
        return Choice(ufunc(a.value, b.value), doubt)

    return run


for _ufunc in (np.less, np.less_equal, np.greater, np.greater_equal):
    acts(_ufunc)(_comparison(_ufunc))


@acts(np.where)
def where(choice: Any, one: Any, other: Any) -> Any:
    """See `numpy.where`: what is in doubt may be either."""
    if not isinstance(choice, Choice):
        return NotImplemented
    if not isinstance(one, Rounded) and not isinstance(other, Rounded):
        return NotImplemented
    a, b = likened(one, other)
    value = np.where(choice.chosen, a.value, b.value)
    noise = EXACT
    if not (a.exact and b.exact):
        noise = np.where(choice.chosen, aligned(a, value.ndim), aligned(b, value.ndim))
    apart = a.bound + b.bound + np.abs(a.value - b.value)
    doubt = np.where(choice.doubt, apart, 0.0)
    to_a = Origin(a, _share(choice.chosen, choice.doubt, a.shape))
    to_b = Origin(b, _share(~choice.chosen, choice.doubt, b.shape))
    return Rounded(value, doubted(noise, doubt, a), a.how, (to_a, to_b))


@acts(np.max)
def largest(x: Rounded, axis: int, keepdims: bool = False) -> Rounded:
    """See `numpy.max`: any number that errors could make the largest may be it.

    Numbers that are equal without any error, as the zeros of a dead channel are, stay equal: the first is it.
    """
    axis %= x.ndim
    place = np.expand_dims(x.value.argmax(axis), axis)
    top = np.take_along_axis(x.value, place, axis)
    noise = EXACT
    if not x.exact:  # in a sample, another number may be the largest
        noise = np.max(x.value + x.noise, axis + 1, keepdims=True) - top
    share = _share_of_largest(x, axis, place)
    to_x = Origin(x, lambda g: share(g.spread_to(x.shape)))
    result = Rounded(top, noise, x.how, (to_x,))
    if keepdims:
        return result
    left = top.shape[:axis] + top.shape[axis + 1 :]
    return result.reshape(left)


def _share_of_largest(x: Rounded, axis: int, place: Numbers) -> Pull:
    """Return the pull to the first of the largest numbers, or perhaps to others that are as large but for errors."""
    chosen = np.zeros(x.shape, bool)
    np.put_along_axis(chosen, place, True, axis)
    bound = x.bound
    top = np.take_along_axis(x.value, place, axis)
    reach = bound + np.take_along_axis(bound, place, axis)
    is_near = top - x.value <= reach
    in_doubt = is_near & (reach > 0)
    near = (in_doubt | chosen) & np.isfinite(x.value)  # padding is minus infinity
    # A number that is alone is near itself, which leaves no doubt.
    several = near.sum(axis, keepdims=True) > 1
    x.how.doubts["ties of maxima"] += int(several.sum())
    return _share(chosen, near & several, x.shape)


@acts(np.floor)
def floor(x: Rounded) -> Numbers:
    """See `numpy.floor`, constant for every derivative; what it may be otherwise is the caller's to know."""
    return np.asarray(np.floor(x.value))


def doubted(noise: Numbers, doubt: Numbers, x: Rounded) -> Numbers:
    """Return noise so large that its bound is at least the doubt."""
    if not doubt.any():
        return noise
    deviation = doubt / x.how.width
    # Twice, because the root mean square of a few samples may be less than the deviation they are drawn with.
    return noise + x.how.draw(deviation) * 2


def _share(chosen: Mask, doubt: Mask, own: tuple[int, ...]) -> Pull:
    """Return the pull that takes the adjoint where something was chosen, and perhaps where that is in doubt."""

    def pull(g: Rounded) -> Rounded:
        value = np.where(chosen, g.value, 0.0)
        inherited = np.where(chosen, g.noise, 0.0)
        all_or_nothing = np.where(doubt, np.abs(g.value) + g.bound, 0.0)
        noise = doubted(inherited, all_or_nothing, g)
        # Samples are an axis more; without them, nothing was rounded and nothing is in doubt.
        if noise.ndim <= g.ndim:
            noise = EXACT
        return summed_to(Rounded(value, noise, g.how), own)

    return pull
