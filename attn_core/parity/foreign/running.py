"""Somebody's layer as a runtime of one block: canonical arrays in, an outcome out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.layer import Call, Foreign, ForeignError, Ran
from attn_core.parity.foreign.reading import Reading
from attn_core.weights import Weights

Numbers = NDArray[Any]


class RaisedError(Exception):
    """Somebody's layer raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Candidate:
    """A layer that may be a block, and how its arrays are the block's."""

    theirs: Foreign
    reading: Reading

    @property
    def unbiased(self) -> bool:
        """Whether running variances move to the unbiased variance of the batch: in Keras and Flax to the biased one."""
        return self.theirs.runtime == "torch"

    def weights(self) -> Weights:
        """Return its own weights, as the block's."""
        return self.reading.weights(self.theirs.state())

    def run(self, draw: Draw, dtype: str, train: bool, seed: int = 0) -> Outcome:
        """Run it with these weights in place of its own; it has no gates, and gradients of the arrays it has."""
        state = self.reading.theirs(draw.weights)
        wanted = self.reading.trainable()
        ran = self.theirs.run(state, draw.image, draw.cotangent, dtype=dtype, train=train, wanted=wanted, seed=seed)
        return self._outcome(ran, train)

    def attempt(self, draw: Draw, dtype: str, train: bool) -> Outcome:
        """Run it. **Raises** `RaisedError` for whatever the layer raises itself, `ForeignError` as it is."""
        try:
            return self.run(draw, dtype, train)
        except ForeignError:  # what an adapter says of a layer, as that it returns two tensors
            raise
        except Exception as error:
            raise RaisedError(error) from error

    def calls(self, draw: Draw, dtype: str, train: bool) -> list[Call]:
        """Return the calls of its sub-layers."""
        state = self.reading.theirs(draw.weights)
        return self.theirs.calls(state, draw.image, dtype=dtype, train=train)

    def shown(self, wanted: Bounded) -> Bounded:
        """Return of the definition's outcome what a layer shows: no gates, nothing of arrays that it lacks."""
        # A dialect may lack arrays of ours, as biases that would be 0: they have no gradients there.
        names = {"input"}
        for entry in self.reading.entries:
            names.update(entry.ours)
        values = wanted.values
        gradients = _only(names, values.gradients)
        statistics = _only(names, values.statistics)
        shown = Outcome(values.output, {}, gradients, statistics)
        bounds = _only(set(shown.arrays()), wanted.bounds)
        return replace(wanted, values=shown, bounds=bounds)

    def _outcome(self, ran: Ran, train: bool) -> Outcome:
        gradients: Weights = {}
        # There are none if its output has another shape than the cotangent.
        if ran.of_input is not None:
            gradients = {"input": ran.of_input, **self.reading.ours(ran.gradients)}
        statistics: Weights = {}
        if train:
            moved = self.reading.ours(ran.after)
            statistics = {name: array for name, array in moved.items() if not self.reading.arrays[name].trainable}
        return Outcome(ran.output, {}, gradients, statistics)


def _only(names: set[str], arrays: Mapping[str, Numbers]) -> dict[str, Numbers]:
    return {name: array for name, array in arrays.items() if name in names}
