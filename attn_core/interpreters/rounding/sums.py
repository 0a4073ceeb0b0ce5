"""Sums and sums of products."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.rounding.arithmetic import Arithmetic
from attn_core.interpreters.rounding.number import EXACT, Pull, Rounded, acts, like, stored

Numbers = NDArray[Any]


def added(
    value: Numbers,
    inherited: Numbers,
    how: Arithmetic,
    count: ArrayLike,
    squares: Numbers,
    *sources: tuple[Rounded, Pull],
    products: bool = False,
    step: float | None = None,
) -> Rounded:
    """Return sums of so many terms, of which the squares add up to `squares`; rounded products, perhaps.

    `step` is the deviation of an addition that gives 1, if it is not that of `how`.

    Each addition rounds a partial sum. In no particular order, the square of the partial sum of k of n terms is
    squares * k (n - k) / (n (n - 1)) + value^2 * k (k - 1) / (n (n - 1)) on average; here added up over k.
    """
    n = np.asarray(count)
    partial = np.where(n > 1, squares * (n + 1) / 6 + value**2 * (n + 1) / 3, 0.0)
    own = (how.adding if step is None else step) * np.sqrt(partial + squares * products)
    return stored(value, inherited, how, *sources, own=own)


@acts(np.sum)
def total(x: Rounded, axis: Any = None, keepdims: bool = False, step: float | None = None) -> Rounded:
    """See `numpy.sum`, and `added` for the step."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(i % x.ndim for i in axes)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    noise = EXACT if x.exact else np.sum(x.noise, tuple(i + 1 for i in axes), keepdims=keepdims)
    value, squares = (np.sum(numbers, axes, keepdims=keepdims) for numbers in (x.value, x.value**2))
    count = int(np.prod([x.shape[i] for i in axes]))
    return added(value, noise, x.how, count, squares, (x, lambda g: g.reshape(kept).spread_to(x.shape)), step=step)


@acts(np.mean)
def mean(x: Rounded, axis: Any = None, keepdims: bool = False) -> Rounded:
    """See `numpy.mean`."""
    whole = total(x, axis, keepdims)
    result: Rounded = whole / (x.size // max(whole.size, 1))
    return result


def contract(equation: str, a: Any, b: Any) -> Rounded:
    """See `numpy.einsum`, of two operands."""
    how = a.how if isinstance(a, Rounded) else b.how
    a, b = like(a, how), like(b, how)
    (left, right), result = equation.split("->")[0].split(","), equation.split("->")[1]
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))
    count = int(np.prod([lengths[letter] for letter in set(left + right) - set(result)]))
    value = _products(equation, a.value, b.value)
    noise = EXACT if a.exact else _products(f"...{left},{right}->...{result}", a.noise, b.value)
    noise = noise if b.exact else noise + _products(f"{left},...{right}->...{result}", a.value, b.noise)
    squares = _products(equation, a.value**2, b.value**2)
    sources = (
        (a, _pulled(f"{result},{right}->{left}", b.real, lengths)),
        (b, _pulled(f"{result},{left}->{right}", a.real, lengths)),
    )
    return added(value, noise, how, count, squares, *sources, products=True)


def _products(equation: str, a: Numbers, b: Numbers) -> Numbers:
    """See `numpy.einsum`; an axis of samples has a letter of its own, so that matrices can be multiplied."""
    return np.asarray(np.einsum(equation.replace("...", "S"), a, b, optimize=True))


def _pulled(equation: str, other: Rounded, lengths: dict[str, int]) -> Pull:
    """Return the pull of an operand; what the other one and the result do not have, it was summed over alone."""
    inputs, wanted = equation.split("->")
    alone = "".join(letter for letter in wanted if letter not in inputs)
    if not alone:
        return lambda g: contract(equation, g, other)
    ones = np.ones([lengths[letter] for letter in alone])
    result, right = inputs.split(",")
    spread = f"{right},{alone}->{right}{alone}"
    return lambda g: contract(f"{result},{right}{alone}->{wanted}", g, contract(spread, other, ones))


@acts(np.einsum)
def einsum(equation: str, *operands: Any, optimize: bool = True) -> Rounded:
    """See `numpy.einsum`, of one or two operands."""
    if len(operands) == 1:
        return contract(equation.replace("->", ",->"), operands[0], 1.0)
    return contract(equation, *operands)


@acts(np.matmul)
def matmul(a: Any, b: Any) -> Rounded:
    """See `numpy.matmul`, of a matrix with a stack of matrices or of stacks of equal shape."""
    letters, axes = string.ascii_lowercase, max(a.ndim, b.ndim) - 2
    left, right = (letters[: x.ndim - 2] if x.ndim == axes + 2 else "" for x in (a, b))
    return contract(f"{left}XY,{right}YZ->{left or right}XZ", a, b)


@acts(np.tensordot)
def tensordot(a: Any, b: Any, axes: tuple[Any, Any]) -> Rounded:
    """See `numpy.tensordot`, with the axes of each."""
    left, right = list(string.ascii_lowercase[: a.ndim]), list(string.ascii_lowercase[-b.ndim :])
    for i, j in zip(*axes, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in axes[0]}
    result = [letter for letter in left + right if letter not in summed]
    return contract(f"{''.join(left)},{''.join(right)}->{''.join(result)}", a, b)


def summed_to(g: Rounded, shape: tuple[int, ...]) -> Rounded:
    """Add up the adjoints of numbers that were repeated along some axes; frameworks do so in the dtype itself."""
    if g.shape == shape:
        return g
    more = g.ndim - len(shape)
    along = [i + more for i, n in enumerate(shape) if n == 1 and g.shape[i + more] > 1]
    return total(g, (*range(more), *along), True, g.how.storing).reshape(shape)
