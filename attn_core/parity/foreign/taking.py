"""A layer's arrays that are to be taken over as a block's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from attn_core.parity.foreign.fitting import NamedShape, entry
from attn_core.parity.foreign.layer import Foreign, ForeignError, State
from attn_core.parity.foreign.reading import Reading
from attn_core.spec import Array, Block
from attn_core.weights.dialects.layout import Entry


@dataclass(frozen=True)
class Taking:
    """The layer, its arrays by its own names, and the block."""

    theirs: Foreign
    state: State
    block: Block

    @cached_property  # for it is asked of each array of theirs
    def arrays(self) -> Mapping[str, Array]:
        """The block's arrays."""
        return self.block.arrays()

    def fits(self, key: str, name: str) -> bool:
        """Say whether an array of theirs has just the shape that ours has in its framework."""
        return self._entry(key, name, strictly=True) is not None

    def named(self, names: Mapping[str, str], how: str) -> Reading:
        """Return the reading in which each key of theirs is the array of ours. **Raises** `ForeignError`."""
        entries = [self._laid_out(key, name) for key, name in names.items()]
        return Reading(self.arrays, tuple(entries), how, {})

    def _laid_out(self, key: str, name: str) -> Entry:
        found = self._entry(key, name)
        if found is None:
            misfit = f"{self._theirs(key)} cannot be {self._ours(name)}"
            raise ForeignError(f"{self.theirs.title}: {misfit} of {self.block!r}.")
        return found

    def _entry(self, key: str, name: str, strictly: bool = False) -> Entry | None:
        return entry(self._theirs(key), self._ours(name), self.theirs.inputs_first, strictly)

    def _theirs(self, key: str) -> NamedShape:
        return NamedShape(key, self.state[key].shape)

    def _ours(self, name: str) -> NamedShape:
        return NamedShape(name, self.arrays[name].shape)
