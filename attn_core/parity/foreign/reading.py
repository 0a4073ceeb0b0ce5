"""What somebody's arrays are of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attn_core.parity.foreign.fitting import above
from attn_core.parity.foreign.layer import State
from attn_core.spec import Array
from attn_core.weights import Weights
from attn_core.weights.dialects.layout import Entry


@dataclass(frozen=True)
class Reading:
    """What each array of theirs is of ours: of the block's `arrays`.

    `absent` are arrays of ours that they do not have, and the value that means the same. `how` ends a sentence: "by
    the dialect timm.SEModule". `dialect` is its name, if it was one.
    """

    arrays: Mapping[str, Array]
    entries: tuple[Entry, ...]
    how: str
    absent: Mapping[str, float]
    dialect: str = ""

    def ours(self, state: Mapping[str, np.ndarray]) -> Weights:
        """Return the canonical arrays of theirs: weights, gradients or statistics, as far as there are any."""
        found: Weights = {}
        for each in self.entries:
            if each.key in state:
                found |= each.take(np.asarray(state[each.key]))
        return found

    def weights(self, state: State) -> Weights:
        """Return all canonical weights."""
        missing = {name: np.full(self.arrays[name].shape, value, np.float32) for name, value in self.absent.items()}
        found = missing | self.ours(state)
        return {name: found[name] for name in self.arrays}

    def theirs(self, weights: Mapping[str, ArrayLike]) -> State:
        """Return their arrays for these canonical weights."""
        arrays = {name: np.asarray(array) for name, array in weights.items()}
        return {each.key: np.array(each.give(arrays), order="C") for each in self.entries}

    def trainable(self) -> list[str]:
        """Return their names of the arrays that gradients move."""
        return [each.key for each in self.entries if all(self.arrays[name].trainable for name in each.ours)]

    def layers(self) -> dict[str, str]:
        """Return their layers by the names of our parts."""
        return {name.rpartition(".")[0]: above(each.key) for each in self.entries for name in each.ours}
