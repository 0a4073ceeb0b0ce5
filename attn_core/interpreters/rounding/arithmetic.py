"""What is known of a dtype's arithmetic, and how sure a bound is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

HOPELESS = 1e30  # an error so large that nothing can be said; a number, because infinity times 0 is none


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


DTYPES = {
    "float64": Dtype(2.0**-53, 2.0**-53, 2.0**-1022, 1.7e308),
    "float32": Dtype(2.0**-24, 2.0**-24, 2.0**-126, 3.4e38),  # some frameworks flush what is smaller to 0
    "bfloat16": Dtype(2.0**-8, 2.0**-24, 2.0**-126, 3.3e38),
    "float16": Dtype(2.0**-11, 2.0**-24, 2.0**-25, 65504.0),
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
        return self.dtype.unit / math.sqrt(3)

    @property
    def adding(self) -> float:
        """The standard deviation of adding something to a sum that becomes 1."""
        return self.dtype.sums / math.sqrt(3)

    def draw(self, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draw errors of these standard deviations: (samples, *shape)."""
        return self.rng.standard_normal((self.samples, *deviations.shape)) * deviations


def student(chance: float, freedom: int) -> float:
    """Return how far, in either direction, Student's t of so many degrees of freedom is exceeded with a chance.

    Wallace's approximation (Annals of Mathematical Statistics 30, 1959), which is right to 1 % here.
    """
    normal = NormalDist().inv_cdf(1 - chance / 2) if chance > 1e-15 else 8.0
    return math.sqrt(freedom * math.expm1((normal * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom))
