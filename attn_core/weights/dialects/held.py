"""Arrays from outside: measured once, and called as a dialect calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attn_core.weights.dialects.numbered import counted
from attn_core.weights.files.arrays import Shape, shape_of


@dataclass(frozen=True)
class NamedArrays:
    """Arrays and their shapes by the names of a dialect."""

    arrays: Mapping[str, Any]
    shapes: Mapping[str, Shape]


class Held:
    """Arrays by their names where they come from: those of one block, or of a whole network."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)
        self.shapes = {key: shape_of(value) for key, value in state.items()}

    def named(self, base: str) -> NamedArrays:
        """Return them by the names of a dialect, given what its layers are numbered through by, if they are."""
        names = counted(self.shapes, base)
        arrays = {names[key]: value for key, value in self.state.items()}
        shapes = {names[key]: shape for key, shape in self.shapes.items()}
        return NamedArrays(arrays, shapes)
