"""What somebody's arrays are of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attn_core.parity.foreign.layer import State
from attn_core.parity.foreign.leaves import above
from attn_core.spec import Array
from attn_core.weights import Weights
from attn_core.weights.dialects.layout import Entry


@dataclass(frozen=True)
class Reading:
    """What each array of theirs is of ours: of the block's `arrays`.

    `how` ends a sentence: "by the dialect timm.SEModule". `absent` are arrays of ours that they do not have, and the
    value that means the same.
    """

    arrays: Mapping[str, Array]
    entries: tuple[Entry, ...]
    how: str
    absent: Mapping[str, float]

    def ours(self, state: Mapping[str, np.ndarray]) -> Weights:
        """Return the canonical arrays of theirs: weights, gradients or statistics, as far as there are any."""
        found: Weights = {}
        for each in self.entries:
            if each.key in state:
                array = np.asarray(state[each.key])
                found |= each.take(array)
        return found

    def weights(self, state: State) -> Weights:
        """Return all canonical weights."""
        found = self.ours(state)
        for name, value in self.absent.items():
            found.setdefault(name, np.full(self.arrays[name].shape, value, np.float32))
        return {name: found[name] for name in self.arrays}

    def theirs(self, weights: Mapping[str, ArrayLike]) -> State:
        """Return their arrays for these canonical weights."""
        arrays = {name: np.asarray(array) for name, array in weights.items()}
        # Copied, in C order: PyTorch takes no negative strides, which an array read backwards has.
        return {each.key: np.array(each.give(arrays), order="C") for each in self.entries}

    def trainable(self) -> list[str]:
        """Return their names of the arrays that gradients move."""
        return [each.key for each in self.entries if self._is_trainable(each)]

    def _is_trainable(self, each: Entry) -> bool:
        return all(self.arrays[name].trainable for name in each.ours)

    def layers(self) -> dict[str, str]:
        """Return their layers by the names of our parts."""
        found = {}
        for each in self.entries:
            for name in each.ours:
                part, _, _ = name.rpartition(".")
                found[part] = above(each.key)
        return found
