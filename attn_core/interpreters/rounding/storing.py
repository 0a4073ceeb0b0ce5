"""Results as a runtime stores them: rounded once more, and constants that are rounded when they are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from attn_core.interpreters.rounding.arithmetic import HOPELESS, Arithmetic
from attn_core.interpreters.rounding.number import EXACT, Numbers, Origin, Rounded

FEW_BITS = 8  # of bfloat16, which has the fewest


def stored(value: Numbers, inherited: Numbers, how: Arithmetic, *sources: Origin, own: ArrayLike = 0.0) -> Rounded:
    """Return a result that is rounded once more where it is stored; `own` is the deviation that computing it adds."""
    storing = how.stored(value) + how.dtype.smallest * ~_surely_zero(value, inherited)
    # Variances add up, because computing and storing round independently of each other.
    deviation = np.sqrt(np.square(own) + storing**2)
    noise = np.clip(inherited + how.draw(deviation), -HOPELESS, HOPELESS)
    # What is too large for the dtype is infinite in a runtime, where the definition in float64 is not.
    is_large = np.abs(value) > how.dtype.largest
    beyond = is_large & np.isfinite(value)
    if beyond.any():
        noise = np.where(beyond, HOPELESS, noise)
    return Rounded(value, noise, how, sources)


def _surely_zero(value: Numbers, inherited: Numbers) -> Any:
    """Say where a result is 0 of numbers without error, as the square of a dead channel's: no runtime rounds there."""
    zero = value == 0
    return zero & ~inherited.any(0) if inherited.ndim and zero.any() else zero


def like(number: Any, how: Arithmetic) -> Rounded:
    """Return a number, or one made of a constant, which is rounded unless a dtype of few bits holds it."""
    if isinstance(number, Rounded):
        return number
    constant = np.asarray(number, np.float64)
    if _is_short(constant):
        return Rounded(constant, EXACT, how)
    rounding = how.draw(how.stored(constant))
    return Rounded(constant, rounding, how)


def likened(a: Any, b: Any) -> tuple[Rounded, Rounded]:
    """Return two operands as rounded numbers; at least one is."""
    how = a.how if isinstance(a, Rounded) else b.how
    return like(a, how), like(b, how)


def _is_short(constant: Numbers) -> bool:
    """Whether every dtype holds a constant: 2, 0.5 or 1 / 64, but not 0.1."""
    fraction, _ = np.frexp(constant)
    digits = fraction * 2**FEW_BITS
    return bool((digits == np.rint(digits)).all())


def aligned(x: Rounded, ndim: int) -> Numbers:
    """Return the noise of a number as that of one with more axes before its own."""
    if x.exact:
        return x.noise
    # The axis of samples stays the first: NumPy alone would take it for one of the number's.
    more = (1,) * (ndim - x.ndim)
    return x.noise.reshape(x.how.samples, *more, *x.shape)
