"""What running a block gives, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Outcome:
    """What a runtime computed, in float64 and canonical layout.

    Gradients are those of `input` (and further inputs) and of every trainable weight; statistics are the running
    arrays after a step of training.
    """

    output: NDArray[np.float64]
    gates: dict[str, NDArray[np.float64]]
    gradients: dict[str, NDArray[np.float64]]
    statistics: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return everything by name: `output`, `gate:channel`, `grad:input`, `stat:norm.running_mean`, ..."""
        kinds = {"gate": self.gates, "grad": self.gradients, "stat": self.statistics}
        named = {f"{kind}:{name}": array for kind, arrays in kinds.items() for name, array in arrays.items()}
        return {"output": self.output, **named}
