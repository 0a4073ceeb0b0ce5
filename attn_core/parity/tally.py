"""What is found of one cell while its draws are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from attn_core.parity.result import BROKEN, FAILED, PASSED, Tensor


@dataclass
class Tally:
    """What was found of one cell until now: for each tensor its worst draw, and the worst share of each draw."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    shares: list[float] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    where: str = ""

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Add a draw."""
        self.shares.append(max((tensor.share for tensor in tensors), default=0.0))
        for tensor in tensors:
            known = self.tensors.get(tensor.name)
            if known is None or tensor.share > known.share:
                self.tensors[tensor.name] = tensor

    @property
    def status(self) -> str:
        """The cell's."""
        if self.error:
            return BROKEN
        passed = all(tensor.passed for tensor in self.tensors.values())
        return PASSED if passed else FAILED
