"""Sums of products: what matrices, convolutions and attention are made of."""

from __future__ import annotations

import math
import string
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding.acting import acts
from attn_core.interpreters.rounding.number import EXACT, Origin, Pull, Rounded
from attn_core.interpreters.rounding.storing import likened
from attn_core.interpreters.rounding.sums import added

Numbers = NDArray[Any]

SAMPLES = "S"  # a letter for the axis of samples, which no other equation here has


class Equation(NamedTuple):
    """Axes of two operands and of the result as letters, for `numpy.einsum`; a letter that is left out is summed over.

    With a letter for the samples, too, and no ellipsis, NumPy can multiply matrices.
    """

    left: str
    right: str
    result: str

    @property
    def summed(self) -> set[str]:
        """The letters that are summed over."""
        return set(self.left + self.right) - set(self.result)

    def __str__(self) -> str:
        return f"{self.left},{self.right}->{self.result}"


def contract(equation: Equation, one: Any, other: Any) -> Rounded:
    """See `numpy.einsum`, of two operands."""
    a, b = likened(one, other)
    left, right, result = equation
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))
    count = math.prod(lengths[letter] for letter in equation.summed)
    value = _products(equation, a.value, b.value)
    squares = _products(equation, a.value**2, b.value**2)
    noise = _noise(equation, a, b)
    pull_a = _pull(Equation(result, right, left), b.real, lengths)
    pull_b = _pull(Equation(result, left, right), a.real, lengths)
    return added(value, noise, a.how, count, squares, Origin(a, pull_a), Origin(b, pull_b), products=True)


def _noise(equation: Equation, a: Rounded, b: Rounded) -> Numbers:
    """Return what the errors of both operands make of the result; products of two errors are left out."""
    left, right, result = equation
    noise = EXACT
    sampled = SAMPLES + result
    if not a.exact:
        of_a = Equation(SAMPLES + left, right, sampled)
        noise = _products(of_a, a.noise, b.value)
    if not b.exact:
        of_b = Equation(left, SAMPLES + right, sampled)
        noise = noise + _products(of_b, a.value, b.noise)
    return noise


def _products(equation: Equation, a: Numbers, b: Numbers) -> Numbers:
    return np.asarray(np.einsum(str(equation), a, b, optimize=True))


def _pull(equation: Equation, other: Rounded, lengths: dict[str, int]) -> Pull:
    """Return the pull of an operand: its adjoint is a sum of products of the result's and the other operand."""
    result, right, wanted = equation
    known = result + right
    alone = "".join(letter for letter in wanted if letter not in known)
    if not alone:
        return lambda g: contract(equation, g, other)
    # Axes that the operand has alone were summed over, so the adjoint is the same all along them.
    ones = np.ones([lengths[letter] for letter in alone])
    repeating = Equation(right, alone, right + alone)
    pulling = Equation(result, right + alone, wanted)
    return lambda g: contract(pulling, g, contract(repeating, other, ones))


@acts(np.einsum)
def einsum(equation: str, *operands: Any, optimize: bool = True) -> Rounded:
    """See `numpy.einsum`, of one or two operands."""
    inputs, result = equation.split("->")
    if len(operands) == 1:
        of_one = Equation(inputs, "", result)
        return contract(of_one, *operands, 1.0)
    left, right = inputs.split(",")
    of_two = Equation(left, right, result)
    return contract(of_two, *operands)


@acts(np.matmul)
def matmul(a: Any, b: Any) -> Rounded:
    """See `numpy.matmul`, of a matrix with a stack of matrices or of stacks of equal shape."""
    depth = max(a.ndim, b.ndim) - 2
    stack = string.ascii_lowercase[:depth]
    left = stack if a.ndim == depth + 2 else ""
    right = stack if b.ndim == depth + 2 else ""
    equation = Equation(f"{left}XY", f"{right}YZ", f"{stack}XZ")
    return contract(equation, a, b)


@acts(np.tensordot)
def tensordot(a: Any, b: Any, axes: tuple[Any, Any]) -> Rounded:
    """See `numpy.tensordot`, with the axes of each."""
    left = list(string.ascii_lowercase[: a.ndim])
    right = list(string.ascii_lowercase[-b.ndim :])
    of_left, of_right = axes
    for i, j in zip(of_left, of_right, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in of_left}
    result = [letter for letter in left + right if letter not in summed]
    equation = Equation(*map("".join, (left, right, result)))
    return contract(equation, a, b)
