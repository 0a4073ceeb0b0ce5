"""Sums, and the errors of their partial sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.rounding.acting import acts
from attn_core.interpreters.rounding.arithmetic import Arithmetic
from attn_core.interpreters.rounding.number import EXACT, Origin, Rounded
from attn_core.interpreters.rounding.storing import stored

Numbers = NDArray[Any]


def added(
    value: Numbers,
    inherited: Numbers,
    how: Arithmetic,
    count: ArrayLike,
    squares: Numbers,
    *sources: Origin,
    products: bool = False,
    step: float | None = None,
) -> Rounded:
    """Return sums of so many terms, of which the squares add up to `squares`; rounded products, perhaps.

    `step` is the deviation of an addition that gives 1, if it is not that of `how`.

    Each addition rounds a partial sum. In no particular order, the square of the partial sum of k of n terms is
    squares * k (n - k) / (n (n - 1)) + value^2 * k (k - 1) / (n (n - 1)) on average; here added up over k.
    """
    n = np.asarray(count)
    # The sums over k of both fractions have closed forms: (n + 1) / 6 and (n + 1) / 3.
    scattered = squares * (n + 1) / 6
    alike = value**2 * (n + 1) / 3
    partial = np.where(n > 1, scattered + alike, 0.0)  # one term alone is not added to anything
    of_products = squares * products
    per_addition = how.adding if step is None else step
    own = per_addition * np.sqrt(partial + of_products)
    return stored(value, inherited, how, *sources, own=own)


@acts(np.sum)
def total(x: Rounded, axis: Any = None, keepdims: bool = False, step: float | None = None) -> Rounded:
    """See `numpy.sum`, and `added` for the step."""
    axes = _axes(axis, x.ndim)
    value = np.sum(x.value, axes, keepdims=keepdims)
    squares = np.sum(x.value**2, axes, keepdims=keepdims)
    noise = EXACT
    if not x.exact:
        behind_samples = tuple(i + 1 for i in axes)
        noise = np.sum(x.noise, behind_samples, keepdims=keepdims)
    count = math.prod(x.shape[i] for i in axes)
    return added(value, noise, x.how, count, squares, _to_terms(x, axes), step=step)


def _to_terms(x: Rounded, axes: tuple[int, ...]) -> Origin:
    """Return the way back to the terms of sums: each has the adjoint of its sum."""
    kept = list(x.shape)
    for axis in axes:
        kept[axis] = 1
    return Origin(x, lambda g: g.reshape(kept).spread_to(x.shape))


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes of a reduction, counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    return tuple(i % ndim for i in given)


@acts(np.mean)
def mean(x: Rounded, axis: Any = None, keepdims: bool = False) -> Rounded:
    """See `numpy.mean`."""
    whole = total(x, axis, keepdims)
    terms = x.size // max(whole.size, 1)
    result: Rounded = whole / terms
    return result


def summed_to(g: Rounded, shape: tuple[int, ...]) -> Rounded:
    """Add up the adjoints of numbers that were repeated along some axes; frameworks do so in the dtype itself."""
    if g.shape == shape:
        return g
    more = g.ndim - len(shape)
    axes = list(range(more))
    for axis, length in enumerate(shape, more):
        if length < g.shape[axis]:
            axes.append(axis)
    whole = total(g, tuple(axes), keepdims=True, step=g.how.storing)
    return whole.reshape(shape)
