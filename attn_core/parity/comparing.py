"""Comparing what a runtime computes with the float64 reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters import reference
from attn_core.interpreters.outcome import Outcome
from attn_core.parity.result import Tensor
from attn_core.spec import Block

if TYPE_CHECKING:
    from attn_core.interpreters.rounding import Bounded


def expected(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: reference.Given,
    cotangent: ArrayLike | None = None,
    train: bool = False,
    *,
    unbiased: bool = True,
) -> Outcome:
    """Return the float64 reference's outcome; `unbiased` says which variance running variances move to."""
    gradients = {} if cotangent is None else reference.gradients(block, weights, x, cotangent, train)
    statistics = reference.statistics(block, weights, x, unbiased=unbiased) if train else {}
    output = reference.evaluate(block, weights, x, train)
    return Outcome(output, reference.gates(block, weights, x), gradients, statistics)


def errors(found: Outcome, wanted: Outcome) -> dict[str, float]:
    """Return the `error` of each array; infinite for one that only one of the two has."""
    a, b = found.arrays(), wanted.arrays()
    return {name: error(a[name], b[name]) if name in a and name in b else float("inf") for name in a | b}


def compared(found: Outcome, wanted: Bounded) -> tuple[Tensor, ...]:
    """Return each array of a runtime beside the definition's, with the number that is worst in units of its bound."""
    theirs, ours = found.arrays(), wanted.values.arrays()
    return tuple(_tensor(name, theirs.get(name), ours.get(name), wanted) for name in ours | theirs)


def _tensor(
    name: str, found: NDArray[np.float64] | None, wanted: NDArray[np.float64] | None, definition: Bounded
) -> Tensor:
    if found is None or wanted is None:
        has, lacks = ("the definition", "the runtime") if found is None else ("the runtime", "the definition")
        return Tensor(name, 0, float("inf"), float("inf"), remark=f"{has} has this array, {lacks} does not")
    if found.shape != wanted.shape:
        remark = f"the shape is {found.shape}, and should be {wanted.shape}"
        return Tensor(name, wanted.size, float("inf"), float("inf"), remark=remark)
    if not wanted.size:
        return Tensor(name, 0, 0.0, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.where(np.isfinite(found), np.abs(found - wanted), np.inf)
        shares = np.where(difference == 0, 0.0, difference / definition.bounds[name])
    shares[np.isinf(definition.bounds[name])] = 0.0  # there is no bound, for infinity and NaN neither
    index = tuple(map(int, np.unravel_index(shares.argmax(), shares.shape)))
    worst = (float(array[index]) for array in (shares, found, wanted, definition.bounds[name]))
    share, theirs, ours, bound = worst
    remark = definition.remarks.get(name, "")
    return Tensor(name, wanted.size, share, float(difference.max()), index, theirs, ours, bound, remark)


def error(found: ArrayLike, wanted: ArrayLike) -> float:
    """Return the largest difference, in units of the largest number wanted where that is above 1.

    NaN, infinity or another shape is an infinite error.
    """
    if np.iscomplexobj(found) or np.iscomplexobj(wanted):
        raise TypeError("error compares real arrays, got complex ones")
    a, b = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if a.shape != b.shape or not np.isfinite([a, b]).all():
        return float("inf")
    return float(np.abs(a - b).max(initial=0.0) / np.abs(b).max(initial=1.0))


def unproven(block: Block, weights: Mapping[str, ArrayLike], x: reference.Given, train: bool = False) -> list[str]:
    """Return the arrays of weights that do not matter at all for this input: no comparison on it proves them right.

    An array counts if any of it matters; some rows may still be without effect.
    """
    output = reference.evaluate(block, weights, x, train)
    arrays = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    moved = {name: reference.evaluate(block, arrays | {name: _moved(a)}, x, train) for name, a in arrays.items()}
    return [name for name, other in moved.items() if error(other, output) < 1e-6]


def _moved(array: NDArray[Any]) -> NDArray[Any]:
    """Move every number, none as far as another: a softmax does not see what moves all its inputs alike."""
    return array + np.linspace(1, 2, array.size).reshape(array.shape)
