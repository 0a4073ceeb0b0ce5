"""A ported network, and the comparisons that prove it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from attn_core.porting.network.network import Network
from attn_core.porting.network.steps.steps import Array
from attn_core.porting.network.truth import Truth
from attn_core.porting.write.state import Place

MODEL = "model.py"
BOUND = 1e-5  # largest error of a check, in the units of `parity.error`


@dataclass(frozen=True)
class Check:
    """One comparison: of what, with what, and the largest difference, absolute and relative to the largest number.

    `judged` tells whether the port fails when the error is beyond the bound.
    """

    what: str
    against: str
    absolute: float
    relative: float
    judged: bool = True

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound: absolute, or relative where numbers are above 1."""
        return not self.judged or min(self.absolute, self.relative) <= BOUND


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
    def passed(self) -> bool:
        """Whether every comparison is within the bound."""
        return all(check.passed for check in self.checks)
