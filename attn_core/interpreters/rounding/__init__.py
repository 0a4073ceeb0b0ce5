"""Interpreter: how far rounding may take a runtime from the definition.

The reference itself is run, on numbers that carry beside each value samples of what rounding may have done to it until
there (`Rounded`). The model is that of Higham and Mary (A New Approach to Probabilistic Rounding Error Analysis, SIAM
J. Sci. Comput. 41, 2019): each rounding is on its own, with mean zero, so the errors of a sum of n terms grow like the
square root of n. Samples of errors are carried and not their sizes, because what comes from one source and meets again
may cancel, as it does in a runtime. A bound is so many times their root mean square that, by Student's distribution,
it is exceeded with a stated chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters import reference, trace
from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.reference.parts import Arrays, State, bind
from attn_core.interpreters.rounding import choices, elementwise, moves, sums  # noqa: F401 (they register what NumPy does)
from attn_core.interpreters.rounding.adjoints import gradients
from attn_core.interpreters.rounding.arithmetic import DTYPES, Arithmetic, student
from attn_core.interpreters.rounding.kernels import KERNELS
from attn_core.interpreters.rounding.number import EXACT, Rounded
from attn_core.interpreters.trace import Step
from attn_core.spec import Block

SAMPLES = 32
CHANCE = 1e-6  # that any number of a correct runtime, in one comparison, exceeds its bound


@dataclass(frozen=True)
class Bounded:
    """What the definition computes, and how far a correct runtime may be from each number of it.

    `remarks` say of arrays, by name, why their bounds tell little: a tie of maxima, say.
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
    given = {**dict(zip(block.inputs, inputs, strict=True)), **arrays}
    how = _arithmetic(dtype, chance, given.values())
    numbers: dict[str, Any] = {name: Rounded(array, EXACT, how, tracked=True) for name, array in given.items()}
    images = [numbers[name] for name in block.inputs]
    state = State(train, unbiased)
    output = bind(block, Arrays(numbers, state, f=KERNELS))(*images)
    gates = bind(block, Arrays(numbers, State(), f=KERNELS)).gates(*images)
    found: dict[str, Rounded] = {}
    if cotangent is not None:
        pulled = Rounded(cotangent, EXACT, how)
        trainable = [name for name, array in block.arrays().items() if array.trainable]
        found = gradients(output, pulled, {name: numbers[name] for name in (*block.inputs, *trainable)})
    kinds: tuple[Mapping[str, Any], ...] = (gates, found, state.moved)
    values = Outcome(output.value, *({name: n.value for name, n in kind.items()} for kind in kinds))
    own = 1 + DTYPES["float64"].unit / how.dtype.unit  # the reference rounds, too
    bounds = Outcome(
        own * output.bound, *({name: own * n.bound for name, n in kind.items()} for kind in kinds)
    ).arrays()
    return Bounded(values, bounds, dict(_remarks(values.arrays(), bounds, how)))


def watched(block: Block, weights: Mapping[str, ArrayLike], x: reference.Given, dtype: str = "float32") -> list[Step]:
    """Return the steps of the block outside of training, each a `Rounded`; raises as `reference.evaluate` does."""
    arrays, inputs = reference.checked(block, weights, x)
    how = _arithmetic(dtype, CHANCE, [*arrays.values(), *inputs])
    numbers: dict[str, Any] = {name: Rounded(array, EXACT, how) for name, array in arrays.items()}
    images = [Rounded(array, EXACT, how) for array in inputs]
    return trace.steps(block, Arrays(numbers, State(), f=KERNELS), replace(trace.REFERENCE, f=KERNELS), images)


def _arithmetic(dtype: str, chance: float, given: Iterable[NDArray[Any]]) -> Arithmetic:
    compared = 3 * sum(array.size for array in given)  # about: outputs, gates, gradients
    return Arithmetic(DTYPES[dtype], student(chance / compared, SAMPLES), SAMPLES)


def _remarks(
    values: Mapping[str, NDArray[Any]], bounds: Mapping[str, NDArray[Any]], how: Arithmetic
) -> Iterator[tuple[str, str]]:
    """Say of which numbers nothing is known, and what may be the reason."""
    because = ", ".join(f"{count} {doubt}" for doubt, count in how.doubts.items() if count)
    for name, bound in bounds.items():
        largest = np.abs(values[name]).max(initial=0.0)
        wide = int((bound > largest).sum())
        if largest and largest <= bound.max() * DTYPES["float64"].unit / how.dtype.unit:
            yield name, "0 but for rounding"
        elif wide and largest:
            reason = f" (there are {because})" if because else ""
            yield name, f"the bounds of {wide} of {bound.size} numbers are too wide to judge them{reason}"
