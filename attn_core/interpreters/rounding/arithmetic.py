"""What is known of a dtype's arithmetic, and how sure a bound is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

HOPELESS = 1e30  # an error so large that nothing can be said; a number, because infinity times 0 is none
UNIFORM = math.sqrt(3)  # half the width of a uniform distribution, in its standard deviations


@dataclass(frozen=True)
class Dtype:
    """The numbers of a dtype.

    A result that is stored is off by at most `unit` of itself, or `smallest`; sums are kept in steps of `sums` (half
    precision is summed in float32: see `attn_core.spec.primitives`); beyond `largest` there is nothing.
    """

    unit: float
    sums: float
    smallest: float
    largest: float


DOUBLE, SINGLE = 2.0**-53, 2.0**-24  # half a unit in the last place of 1

DTYPES = {
    "float64": Dtype(unit=DOUBLE, sums=DOUBLE, smallest=2.0**-1022, largest=1.7e308),
    # Some frameworks flush to 0 what is smaller than a normal number, where others round to a subnormal one.
    "float32": Dtype(unit=SINGLE, sums=SINGLE, smallest=2.0**-126, largest=3.4e38),
    "bfloat16": Dtype(unit=2.0**-8, sums=SINGLE, smallest=2.0**-126, largest=3.3e38),
    # The subnormal numbers of float16 are kept: `smallest` is half of the least of them.
    "float16": Dtype(unit=2.0**-11, sums=SINGLE, smallest=2.0**-25, largest=65504.0),
}


@dataclass(frozen=True)
class Arithmetic:
    """A dtype's roundings, drawn `samples` times: uniform between their limits, each on its own.

    A bound is `width` times the root mean square of the samples of an error. `doubts` counts what errors could turn.
    """

    dtype: Dtype
    width: float
    samples: int = 32
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    doubts: Counter[str] = field(default_factory=Counter)

    @property
    def storing(self) -> float:
        """The standard deviation of storing 1."""
        return self.dtype.unit / UNIFORM

    def stored(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviations of storing the numbers of an array, apart from the smallest."""
        return self.storing * np.abs(values)

    @property
    def adding(self) -> float:
        """The standard deviation of adding something to a sum that becomes 1."""
        return self.dtype.sums / UNIFORM

    def draw(self, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draw errors of these standard deviations: (samples, *shape)."""
        # Normal, with the deviation of what is uniform: Student's distribution is that of normal samples.
        shape = (self.samples, *deviations.shape)
        return self.rng.standard_normal(shape) * deviations


def student(chance: float, freedom: int) -> float:
    """Return how far, in either direction, Student's t of so many degrees of freedom is exceeded with a chance.

    Wallace's approximation (Annals of Mathematical Statistics 30, 1959), which is right to 1 % here.
    """
    normal = 8.0
    # Of smaller chances, 1 - chance / 2 is soon 1 in float64, where the quantile is infinite.
    if chance > 1e-15:
        normal = NormalDist().inv_cdf(1 - chance / 2)
    scaled = normal * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(scaled**2 / freedom))
