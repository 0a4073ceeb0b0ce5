"""A ported network, and the comparisons that prove it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from attn_core.porting.network.half_precision import rounding
from attn_core.porting.network.network import Network
from attn_core.porting.network.steps.steps import Array, Step
from attn_core.porting.network.truth import Truth
from attn_core.porting.write.state import Place

MODEL = "model.py"
BOUND = 1e-5  # largest error of a check, in the units of `parity.error`


@dataclass(frozen=True)
class Check:
    """One comparison: of what, with what, and the largest difference, absolute and relative to the largest number.

    `judged` tells whether the port fails when the error is beyond the bound; `bound` is larger than that of all ports
    where the other side computed in half precision.
    """

    what: str
    against: str
    absolute: float
    relative: float
    judged: bool = True
    bound: float = BOUND

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound: absolute, or relative where numbers are above 1."""
        return not self.judged or min(self.absolute, self.relative) <= self.bound


@dataclass
class Port:
    """A ported network: its files' contents, and how far it is from the original."""

    path: Path
    target: str
    network: Network
    source: str
    arrays: dict[str, Array]
    places: list[Place]
    truths: list[Truth]
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def witnessed(self) -> float:
        """The bound of what TensorFlow computed, which rounds to half precision where the graph does."""
        return max(BOUND, rounding(self.network.inference.graph))

    @property
    def passed(self) -> bool:
        """Whether every comparison is within the bound."""
        return all(check.passed for check in self.checks)


def compared(what: str, against: str, found: Array, wanted: Array, judged: bool = True, bound: float = BOUND) -> Check:
    """Compare two arrays."""
    a, b = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if a.shape != b.shape or not np.isfinite([a, b]).all():
        return Check(what, against, float("inf"), float("inf"), judged, bound)
    absolute, largest = float(np.abs(a - b).max(initial=0.0)), float(np.abs(b).max(initial=0.0))
    return Check(what, against, absolute, absolute / largest if largest else absolute, judged, bound)


def arrays_of(port: Port, step: Step) -> dict[str, Array]:
    """Return the canonical weights of a step."""
    return {name: leaf.array(port.network.source.read) for name, leaf in step.arrays.items()}
