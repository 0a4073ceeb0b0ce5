"""One draw on which a layer and a block are compared, and whether they differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.parity.comparing import compared
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.running import Candidate
from attn_core.parity.foreign.settings import TRAIN
from attn_core.parity.result import Tensor
from attn_core.spec import Block
from attn_core.weights import Weights

Numbers = NDArray[Any]

CLOSE = 4  # times the largest bound: worth a closer look


@dataclass(frozen=True)
class Comparison:
    """A layer that is compared with a block, in one type and mode."""

    candidate: Candidate
    block: Block
    dtype: str
    mode: str

    @property
    def train(self) -> bool:
        """Whether it is a step of training."""
        return self.mode == TRAIN

    def on(self, draw: Draw) -> Difference:
        """Run it and the definition. **Raises** `RaisedError` for what the layer raises."""
        found = self.candidate.attempt(draw, self.dtype, self.train)
        return Difference(self, draw, found, self.wanted(self.block, draw.weights, draw))

    def wanted(self, block: Block, weights: Weights, draw: Draw) -> Bounded:
        """Return what a layer shows of what a block computes."""
        given = (block, weights, draw.image, draw.cotangent)
        return self.candidate.shown(bounded(*given, self.dtype, self.train, unbiased=self.candidate.unbiased))


@dataclass(frozen=True)
class Difference:
    """What a layer computed on a draw, and what the block does within which bounds."""

    comparison: Comparison
    draw: Draw
    found: Outcome
    wanted: Bounded

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Each array, compared."""
        return compared(self.found, self.wanted)

    @property
    def beyond(self) -> list[str]:
        """The names of the arrays that are beyond their bounds."""
        return [tensor.name for tensor in self.tensors if not tensor.passed]

    def near(self, name: str, found: Numbers, wanted: Numbers) -> bool:
        """Say whether two arrays are as near as those of this name may be."""
        if found.shape != wanted.shape:
            return False
        bound = np.max(self.wanted.bounds[name], initial=0)
        distance = abs(found - wanted).max(initial=0)
        return bool(distance <= CLOSE * bound)
