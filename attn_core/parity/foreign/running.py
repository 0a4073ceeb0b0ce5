"""Somebody's layer as a runtime of one block: canonical arrays in, an outcome out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.images import sample_image
from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded
from attn_core.parity.draws import held
from attn_core.parity.foreign.layer import Call, Foreign, Ran
from attn_core.parity.foreign.reading import Reading
from attn_core.weights import Weights

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Subject:
    """A layer, and how its arrays are the block's."""

    theirs: Foreign
    reading: Reading

    @property
    def unbiased(self) -> bool:
        """Whether running variances move to the unbiased variance of the batch."""
        return self.theirs.runtime == "torch"

    def weights(self) -> Weights:
        """Return its own weights, as the block's."""
        return self.reading.weights(self.theirs.state())

    def run(self, draw: Draw, dtype: str, train: bool, seed: int = 0) -> Outcome:
        """Run it with these weights in place of its own; it has no gates, and gradients of the arrays it has."""
        state, wanted = self.reading.theirs(draw.weights), self.reading.trainable()
        options: dict[str, Any] = {"dtype": dtype, "train": train, "wanted": wanted, "seed": seed}
        return self._outcome(self.theirs.run(state, draw.x, draw.cotangent, **options), train)

    def calls(self, draw: Draw, dtype: str, train: bool) -> list[Call]:
        """Return the calls of its sub-layers."""
        return self.theirs.calls(self.reading.theirs(draw.weights), draw.x, dtype=dtype, train=train)

    def _outcome(self, ran: Ran, train: bool) -> Outcome:
        gradients = {} if ran.of_input is None else {"input": ran.of_input, **self.reading.ours(ran.gradients)}
        moved = self.reading.ours(ran.after) if train else {}
        statistics = {name: array for name, array in moved.items() if not self.reading.arrays[name].trainable}
        return Outcome(ran.output, {}, gradients, statistics)

    def compared(self, wanted: Bounded) -> Bounded:
        """Return of the definition's outcome what a layer shows: no gates, nothing of arrays that it lacks."""
        names = {"input"} | {name for each in self.reading.entries for name in each.ours}
        values = wanted.values
        gradients = {name: array for name, array in values.gradients.items() if name in names}
        statistics = {name: array for name, array in values.statistics.items() if name in names}
        shown = Outcome(values.output, {}, gradients, statistics)
        return replace(wanted, values=shown, bounds={name: wanted.bounds[name] for name in shown.arrays()})


@dataclass(frozen=True)
class Draw:
    """Weights, an image and a cotangent, in numbers that the dtype holds, and float32."""

    weights: Weights
    x: Numbers
    cotangent: Numbers


def drawn(
    own: Weights,
    fixed: Mapping[str, float],
    shape: tuple[int, ...],
    out: tuple[int, ...],
    seed: int,
    i: int,
    dtype: str = "float32",
) -> Draw:
    """Return a draw: the first has the layer's own weights, in others every number is moved, so that no bias is 0."""
    rng = np.random.default_rng([seed, i])
    moved = {name: a + (rng.normal(0, 0.3, a.shape) if i and name not in fixed else 0) for name, a in own.items()}
    positive = {name: abs(a) if name.endswith("running_var") else a for name, a in moved.items()}
    weights = {name: a.astype(np.float32) for name, a in positive.items()}
    x = sample_image(shape, int(rng.integers(2**32)))
    rounded = {name: held(array, dtype) for name, array in weights.items()}
    return Draw(rounded, held(x, dtype), held(rng.standard_normal(out), dtype))
