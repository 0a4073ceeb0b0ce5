"""Elementwise functions, each with its derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from attn_core.interpreters.reference.ops import ERF
from attn_core.interpreters.rounding.acting import acts
from attn_core.interpreters.rounding.number import EXACT, Numbers, Origin, Rounded
from attn_core.interpreters.rounding.storing import stored

# The error of a framework's exp, log, tanh or erf is like so many roundings, of the dtype that sums are kept in.
STEPS = 4

Function = Callable[[Numbers], Any]
Slope = Callable[[Rounded, Rounded], Any]  # the derivative, of x and the result


@acts(np.exp)
def exp(x: Rounded) -> Rounded:
    """See `numpy.exp`."""
    return _applied(_exp, x, lambda x, y: y)


@acts(np.log)
def log(x: Rounded) -> Rounded:
    """See `numpy.log`."""
    return _applied(_log, x, lambda x, y: 1.0 / x)


@acts(np.tanh)
def tanh(x: Rounded) -> Rounded:
    """See `numpy.tanh`."""
    return _applied(np.tanh, x, lambda x, y: 1 - y * y)


@acts(np.sqrt)
def sqrt(x: Rounded) -> Rounded:
    """See `numpy.sqrt`, which processors round correctly (IEEE 754)."""
    return _applied(_sqrt, x, lambda x, y: 0.5 / y, steps=1)


@acts(ERF)
def erf(x: Rounded) -> Rounded:
    """Return the error function; its approximations are as far off near 0, where it is small, as elsewhere."""
    scale = 2 / math.sqrt(math.pi)
    return _applied(_erf, x, lambda x, y: scale * exp(-(x * x)), least=1.0)


def _applied(function: Function, x: Rounded, slope: Slope, steps: int = STEPS, least: float = 0.0) -> Rounded:
    value = function(x.value)
    own = steps * x.how.adding * np.maximum(np.abs(value), least)
    inherited = EXACT
    if not x.exact:
        inherited = function(x.value + x.noise) - value
    # An approximation of a function may be off by the same share everywhere, so part of its error is.
    one_for_all = np.ones((1,) * x.ndim)
    shared = x.how.draw(one_for_all) * own
    result = stored(value, inherited + shared, x.how, own=own)

    def pull(g: Rounded) -> Rounded:
        # The derivative is taken at the result as it was stored: s (1 - s) of a sigmoid near 1 has few digits.
        factor = slope(x.real, result)
        return g * factor  # type: ignore[no-any-return]

    return Rounded(value, result.noise, x.how, (Origin(x, pull),))


# A sample may be where a function is not defined, or too large for a double, though the value is not.


def _exp(x: Numbers) -> Any:
    return np.exp(np.minimum(x, 700.0))


def _log(x: Numbers) -> Any:
    return np.log(np.maximum(x, 1e-300))


def _sqrt(x: Numbers) -> Any:
    return np.sqrt(np.maximum(x, 0.0))


def _erf(x: Numbers) -> Any:
    return np.asarray(ERF(x), np.float64)  # of Python's function, NumPy makes an array of objects
