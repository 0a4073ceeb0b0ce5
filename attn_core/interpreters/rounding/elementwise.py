"""Elementwise arithmetic: each operation with the errors it passes on and its two ways back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from attn_core.interpreters.rounding.acting import acts
from attn_core.interpreters.rounding.arithmetic import HOPELESS
from attn_core.interpreters.rounding.number import Numbers, Origin, Pull, Rounded
from attn_core.interpreters.rounding.storing import aligned, likened, stored
from attn_core.interpreters.rounding.sums import summed_to


class Noises(NamedTuple):
    """The noises of two operands in the shape of their result."""

    left: Numbers
    right: Numbers


@acts(np.add)
def add(one: Any, other: Any) -> Rounded:
    """Return a + b."""
    a, b = likened(one, other)
    # The reference adds 0.0 where a layer has no bias; a framework adds nothing there.
    if _is_constant(b, 0.0):
        return a
    value = a.value + b.value
    noise = _noises(a, b, value)
    to_a = _operand(a, lambda g: g)
    to_b = _operand(b, lambda g: g)
    return stored(value, noise.left + noise.right, a.how, to_a, to_b)


@acts(np.negative)
def negative(x: Rounded) -> Rounded:
    """Return -x, which is exact."""
    return Rounded(-x.value, -x.noise, x.how, (Origin(x, negative),))


@acts(np.subtract)
def subtract(a: Any, b: Any) -> Rounded:
    """Return a - b."""
    opposite = negative(b) if isinstance(b, Rounded) else -b
    return add(a, opposite)


@acts(np.multiply)
def multiply(one: Any, other: Any) -> Rounded:
    """Return a b."""
    a, b = likened(one, other)
    # `math.prod` multiplies 1 with the first factor, which rounds nothing.
    if _is_constant(a, 1.0):
        return b
    value = a.value * b.value
    noise = _noises(a, b, value)
    inherited = a.value * noise.right + noise.left * b.value + noise.left * noise.right
    x, y = a.real, b.real
    to_a = _operand(a, lambda g: g * y)
    to_b = _operand(b, lambda g: g * x)
    return stored(value, inherited, a.how, to_a, to_b)


@acts(np.divide)
def divide(one: Any, other: Any) -> Rounded:
    """Return a / b; nothing is known where b may be 0."""
    a, b = likened(one, other)
    value = a.value / b.value
    noise = _noises(a, b, value)
    safe = np.abs(b.value) > b.bound
    # (a + left) / (b + right) - a / b, written so that nearly equal quotients are not subtracted.
    excess = noise.left - value * noise.right
    divisor = np.where(safe, b.value + noise.right, 1.0)
    inherited = np.where(safe, excess / divisor, HOPELESS)
    x, y = a.real, b.real
    to_a = _operand(a, lambda g: g / y)
    to_b = _operand(b, lambda g: -(g * x) / (y * y))
    return stored(value, inherited, a.how, to_a, to_b)


@acts(np.power)
def power(x: Rounded, exponent: int) -> Any:
    """Return the square; the reference has no other power."""
    return multiply(x, x) if exponent == 2 else NotImplemented


@acts(np.iscomplexobj)
def is_complex(x: Rounded) -> bool:
    """Return no."""
    return False


def _operand(x: Rounded, pull: Pull) -> Origin:
    """Return an operand that may have been repeated along some axes, with the pull of each of its copies."""
    return Origin(x, lambda g: summed_to(pull(g), x.shape))


def _noises(a: Rounded, b: Rounded, result: Numbers) -> Noises:
    return Noises(aligned(a, result.ndim), aligned(b, result.ndim))


def _is_constant(x: Rounded, number: float) -> bool:
    """Whether a number is a constant of the code, and which: with those nothing is computed."""
    is_constant = x.ndim == 0 and x.exact and not x.tracked
    return is_constant and float(x.value) == number
