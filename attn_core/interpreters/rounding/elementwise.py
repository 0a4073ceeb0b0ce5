"""Elementwise arithmetic and functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from attn_core.interpreters.reference.ops import ERF
from attn_core.interpreters.rounding.arithmetic import HOPELESS, Arithmetic
from attn_core.interpreters.rounding.number import EXACT, Numbers, Rounded, acts, aligned, like, stored
from attn_core.interpreters.rounding.sums import summed_to

STEPS = (
    4  # the error of a framework's exp, log, tanh or erf is like so many roundings, of the dtype that sums are kept in
)


@acts(np.add)
def add(one: Any, other: Any) -> Rounded:
    """Return a + b."""
    a, b = _pair(one, other)
    if _is(b, 0.0):
        return a
    value, left, right = _spread(a, b, np.add)
    return stored(
        value, left + right, a.how, (a, lambda g: summed_to(g, a.shape)), (b, lambda g: summed_to(g, b.shape))
    )


@acts(np.negative)
def negative(x: Rounded) -> Rounded:
    """Return -x."""
    return Rounded(-x.value, -x.noise, x.how, ((x, negative),))


@acts(np.subtract)
def subtract(a: Any, b: Any) -> Rounded:
    """Return a - b."""
    return add(a, negative(b) if isinstance(b, Rounded) else -b)


@acts(np.multiply)
def multiply(one: Any, other: Any) -> Rounded:
    """Return a b."""
    a, b = _pair(one, other)
    if _is(a, 1.0):
        return b
    value, left, right = _spread(a, b, np.multiply)
    x, y = a.real, b.real
    sources = ((a, lambda g: summed_to(g * y, a.shape)), (b, lambda g: summed_to(g * x, b.shape)))
    return stored(value, a.value * right + left * b.value + left * right, a.how, *sources)


@acts(np.divide)
def divide(one: Any, other: Any) -> Rounded:
    """Return a / b; nothing is known where b may be 0."""
    a, b = _pair(one, other)
    value, left, right = _spread(a, b, np.divide)
    safe = np.abs(b.value) > b.bound
    noise = np.where(safe, (left - value * right) / np.where(safe, b.value + right, 1.0), HOPELESS)
    x, y = a.real, b.real
    sources = (
        (a, lambda g: summed_to(g / y, a.shape)),
        (b, lambda g: summed_to(-(g * x) / (y * y), b.shape)),
    )
    return stored(value, noise, a.how, *sources)


@acts(np.power)
def power(x: Rounded, exponent: int) -> Any:
    """Return the square."""
    return multiply(x, x) if exponent == 2 else NotImplemented


# ---- functions, each with its derivative -----------------------------------------------------------------------------


def _function(
    function: Callable[[Numbers], Numbers], slope: Callable[[Rounded, Rounded], Any], steps: int = STEPS
) -> Callable[[Rounded], Rounded]:
    """Return a function on rounded numbers; `slope` is of x and the result.

    An approximation of a function may be off by the same share everywhere, so part of its error is.
    """

    def run(x: Rounded) -> Rounded:
        value = function(x.value)
        own = steps * x.how.adding * np.abs(value)
        inherited = EXACT if x.exact else function(x.value + x.noise) - value
        shared = x.how.draw(np.ones((1,) * x.ndim)) * own
        result = stored(value, inherited + shared, x.how, own=own)
        return Rounded(value, result.noise, x.how, ((x, lambda g: g * slope(x.real, result)),))

    return run


def _erf(x: Numbers) -> Numbers:
    return np.asarray(ERF(x), np.float64)


def _root(x: Numbers) -> Numbers:
    return np.asarray(np.sqrt(np.maximum(x, 0.0)))


def _exp(x: Numbers) -> Numbers:
    return np.asarray(np.exp(np.minimum(x, 700.0)))


def _log(x: Numbers) -> Numbers:
    return np.asarray(np.log(np.maximum(x, 1e-300)))


exp = acts(np.exp)(_function(_exp, lambda x, y: y))
log = acts(np.log)(_function(_log, lambda x, y: 1.0 / x))
tanh = acts(np.tanh)(_function(np.tanh, lambda x, y: 1 - y * y))
sqrt = acts(np.sqrt)(_function(_root, lambda x, y: 0.5 / y, 1))
erf = acts(ERF)(_function(_erf, lambda x, y: 2 / math.sqrt(math.pi) * exp(-(x * x))))


@acts(np.iscomplexobj)
def is_complex(x: Rounded) -> bool:
    """Return no."""
    return False


def _pair(a: Any, b: Any) -> tuple[Rounded, Rounded]:
    how: Arithmetic = a.how if isinstance(a, Rounded) else b.how
    return like(a, how), like(b, how)


def _spread(a: Rounded, b: Rounded, function: Any) -> tuple[Numbers, Numbers, Numbers]:
    """Return the value of both, and their noises in its shape."""
    value = function(a.value, b.value)
    return value, aligned(a, value.ndim), aligned(b, value.ndim)


def _is(x: Rounded, number: float) -> bool:
    return x.ndim == 0 and x.exact and not x.tracked and float(x.value) == number
