"""Interpreter: how far rounding may take a runtime from the definition.

The reference itself is run, on numbers that carry beside each value samples of what rounding may have done to it until
there (`Rounded`). The model is that of Higham and Mary (A New Approach to Probabilistic Rounding Error Analysis, SIAM
J. Sci. Comput. 41, 2019): each rounding is on its own, with mean zero, so the errors of a sum of n terms grow like the
square root of n. Samples of errors are carried and not their sizes, because what comes from one source and meets again
may cancel, as it does in a runtime. A bound is so many times their root mean square that, by Student's distribution,
it is exceeded with a stated chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters import reference, trace
from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.reference.parts import Arrays, State, bind
from attn_core.interpreters.rounding import (  # noqa: F401 (they register what NumPy does)
    choices,
    elementwise,
    functions,
    moves,
    products,
    sums,
)
from attn_core.interpreters.rounding.adjoints import gradients
from attn_core.interpreters.rounding.arithmetic import DOUBLE, DTYPES, HOPELESS, Arithmetic, student
from attn_core.interpreters.rounding.kernels import KERNELS
from attn_core.interpreters.rounding.number import EXACT, Rounded
from attn_core.interpreters.trace import Step
from attn_core.spec import Block

SAMPLES = 32
MOST = 1e-10 * HOPELESS  # of a bound
CHANCE = 1e-6  # that any number of a correct runtime, in one comparison, exceeds its bound


@dataclass(frozen=True)
class Bounded:
    """What the definition computes, and how far a correct runtime may be from each number of it.

    A bound is infinite where there is none: a divisor may be 0, or a result exceeds the dtype. `remarks` say so of
    arrays, by name, or why their bounds tell little: a tie of maxima, say.
    """

    values: Outcome
    bounds: dict[str, NDArray[Any]]
    remarks: dict[str, str] = field(default_factory=dict)


def bounded(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: reference.Given,
    cotangent: ArrayLike | None = None,
    dtype: str = "float32",
    train: bool = False,
    *,
    unbiased: bool = True,
    chance: float = CHANCE,
) -> Bounded:
    """Compute the block's outcome in float64, and bounds of what a runtime's rounding in `dtype` does to it.

    Weights, inputs and cotangent are taken as they are: give numbers that `dtype` holds. `chance` is that of a correct
    runtime to exceed a bound anywhere. Raises as `reference.evaluate` does.
    """
    arrays, inputs = reference.checked(block, weights, x)
    given = dict(zip(block.inputs, inputs, strict=True)) | arrays
    how = _arithmetic(dtype, chance, given.values())
    numbers = {name: Rounded(array, EXACT, how, tracked=True) for name, array in given.items()}
    pulled = None if cotangent is None else Rounded(cotangent, EXACT, how)
    found = _run(block, numbers, State(train, unbiased), pulled)
    values = _each(found, lambda number: number.value)
    of_both = 1 + DOUBLE / how.dtype.unit  # the reference rounds, too
    bounds = _each(found, lambda number: _or_none(of_both * number.bound))
    remarks = _remarks(values.arrays(), bounds.arrays(), how)
    return Bounded(values, bounds.arrays(), dict(remarks))


def _run(block: Block, numbers: Mapping[str, Rounded], state: State, cotangent: Rounded | None) -> Outcome:
    """Return the outcome of a block, in rounded numbers."""
    images = [numbers[name] for name in block.inputs]
    output = _bind(block, numbers, state)(*images)
    # Gates are shown as they are outside of training.
    shown = _bind(block, numbers, State())
    gates = shown.gates(*images)
    found: dict[str, Any] = {}
    if cotangent is not None:
        trainable = [name for name, array in block.arrays().items() if array.trainable]
        wanted = [*block.inputs, *trainable]
        found = gradients(output, cotangent, {name: numbers[name] for name in wanted})
    return Outcome(output, gates, found, state.moved)


def _or_none(bound: NDArray[Any]) -> NDArray[Any]:
    """Return infinity where nothing is known: what is made of a hopeless error is about as large."""
    return np.where(bound < MOST, bound, np.inf)


def _bind(block: Block, numbers: Mapping[str, Any], state: State) -> Any:
    arrays = Arrays(numbers, state, f=KERNELS)
    return bind(block, arrays)


def _each(found: Outcome, take: Callable[[Any], NDArray[Any]]) -> Outcome:
    """Return an outcome in which something of each number stands in its place."""

    def taken(numbers: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        return {name: take(number) for name, number in numbers.items()}

    gates, gradients = taken(found.gates), taken(found.gradients)
    return Outcome(take(found.output), gates, gradients, taken(found.statistics))


def watched(block: Block, weights: Mapping[str, ArrayLike], x: reference.Given, dtype: str = "float32") -> list[Step]:
    """Return the steps of the block outside of training, each a `Rounded`; raises as `reference.evaluate` does."""
    arrays, inputs = reference.checked(block, weights, x)
    how = _arithmetic(dtype, CHANCE, [*arrays.values(), *inputs])
    numbers: dict[str, Any] = {name: Rounded(array, EXACT, how) for name, array in arrays.items()}
    images = [Rounded(array, EXACT, how) for array in inputs]
    where = replace(trace.REFERENCE, f=KERNELS)
    return trace.steps(block, Arrays(numbers, State(), f=KERNELS), where, images)


def _arithmetic(dtype: str, chance: float, given: Iterable[NDArray[Any]]) -> Arithmetic:
    compared = 3 * sum(array.size for array in given)  # about: outputs, gates, gradients
    width = student(chance / compared, SAMPLES)
    return Arithmetic(DTYPES[dtype], width, SAMPLES)


def _remarks(
    values: Mapping[str, NDArray[Any]], bounds: Mapping[str, NDArray[Any]], how: Arithmetic
) -> Iterator[tuple[str, str]]:
    """Say of which numbers nothing is known, and what may be the reason."""
    doubts = [f"{count} {doubt}" for doubt, count in how.doubts.items() if count]
    reason = f" (there are {', '.join(doubts)})" if doubts else ""
    for name, bound in bounds.items():
        largest = np.abs(values[name]).max(initial=0.0)
        known = bound[np.isfinite(bound)]
        if known.size < bound.size:
            yield name, f"no bound for {bound.size - known.size} of {bound.size} numbers{reason}"
        if not largest or known.size < bound.size:
            continue
        # The reference rounds, too: what is no larger than its own bound in float64 may as well be 0.
        of_reference = bound.max() * DOUBLE / how.dtype.unit
        wide = int((bound > largest).sum())
        if largest <= of_reference:
            yield name, "0 but for rounding"
        elif wide:
            yield name, f"the bounds of {wide} of {bound.size} numbers are too wide to judge them{reason}"
