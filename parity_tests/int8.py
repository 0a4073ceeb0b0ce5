"""How far a layer may be from its definition in TensorFlow Lite's int8, where every array is stored in 255 steps.

The bounds of `attn_core.interpreters.rounding`, with another rule of what storing an array costs: half a step of its
range, whatever the size of a number in it. Sums are kept in int32, which is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cases import Case

from attn_core import reference
from attn_core.interpreters import rounding
from attn_core.interpreters.reference.parts import State
from attn_core.interpreters.rounding.arithmetic import UNIFORM, Arithmetic, Dtype, student
from attn_core.interpreters.rounding.number import Rounded

STEPS = 255
INT8 = Dtype(unit=0.5 / STEPS, sums=0.0, smallest=0.0, largest=np.inf)


@dataclass(frozen=True)
class InSteps(Arithmetic):
    """Arrays that are stored in equal steps from their least number to their largest, 0 among them."""

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Return the standard deviation of half a step, for every number of an array.

        Results of a sigmoid or softmax have steps of 1 / 256, however small they are: so say the kernels' own rules.
        """
        lowest, highest = min(values.min(initial=0), 0), max(values.max(initial=0), 0)
        span = 1.0 if lowest == 0 and highest <= 1 else highest - lowest
        return np.full(values.shape, span * self.dtype.unit / UNIFORM)


def bounds(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return what a case computes, and how far int8 may be from each number of it."""
    arrays, inputs = reference.checked(case.block, case.weights, case.inputs)
    given = dict(zip(case.block.inputs, inputs, strict=True)) | arrays
    chance = rounding.CHANCE / sum(array.size for array in given.values())
    how = InSteps(INT8, student(chance, rounding.SAMPLES), rounding.SAMPLES)
    numbers = {name: Rounded(array, how.draw(how.stored(array)), how) for name, array in given.items()}
    output = rounding._bind(case.block, numbers, State())(*(numbers[name] for name in case.block.inputs))
    return output.value, output.bound


def require(output: np.ndarray, case: Case) -> None:
    """Raise unless an output is within its bounds, and these say something: half of them are less than its range."""
    with np.errstate(over="ignore", invalid="ignore"):
        wanted, limits = bounds(case)
    if np.median(limits) >= np.ptp(wanted):
        raise ValueError(f"no bound: {limits.max():.3g} for numbers over a range of {np.ptp(wanted):.3g}")
    errors = abs(output - wanted)
    if not (errors <= limits).all():
        raise ValueError(f"{(errors[limits > 0] / limits[limits > 0]).max():.2g} of its bound")
