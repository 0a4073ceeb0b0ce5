"""The shapes of somebody's arrays, from which the configuration of a block is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from attn_core.weights.dialects.layout import Layer
from attn_core.weights.files.arrays import Shape, plain
from attn_core.weights.files.errors import DialectError


class MisfitError(DialectError):
    """An array of this name, but of other axes than a dialect has."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


class Sizes:
    """Shapes by the names of a dialect. `prefix` stands before them in messages."""

    def __init__(self, dialect: str, shapes: Mapping[str, Shape], prefix: str = "") -> None:
        self.dialect, self.shapes, self.prefix = dialect, shapes, prefix

    def __contains__(self, key: str) -> bool:
        return key in self.shapes

    def has(self, layer: Layer, leaf: str) -> bool:
        """Say whether there is such an array."""
        return layer.key(leaf) in self.shapes

    def rank(self, layer: Layer, leaf: str = "weight") -> int:
        """Return the number of spatial axes of a convolution's kernel."""
        return len(self.shapes.get(layer.key(leaf), (0,) * 4)) - 2

    def of(self, layer: Layer, leaf: str, *axes: str | int) -> Shape:
        """Return the sizes of the named axes of an array of ours, given its axes by name or length, in our order.

        An axis that is named twice has the same length twice. **Raises** `DialectError` if there is no such array or
        it has not these axes.
        """
        key, wanted = layer.key(leaf), layer.turn(leaf).axes(axes)
        if key not in self.shapes:
            raise DialectError(f"{self.dialect}: {self._missing(key, wanted)}.")
        shape, sizes = self.shapes[key], dict[str, int]()
        fits = (
            len(shape) == len(wanted)
            and 0 not in shape
            and all(
                size == (axis if isinstance(axis, int) else sizes.setdefault(axis, size))
                for axis, size in zip(wanted, shape, strict=True)
            )
        )
        if not fits:
            message = f"{self.dialect}: {self.prefix}{key} must be {_named(wanted)}, got {shape}."
            raise MisfitError(message, key)
        return tuple(sizes[axis] for axis in dict.fromkeys(axes) if isinstance(axis, str))

    def _missing(self, key: str, axes: tuple[str | int, ...]) -> str:
        near = difflib.get_close_matches(key, self.shapes, n=1)
        held = ", ".join(map(plain, list(self.shapes)[:8])) or "none"
        there = f"the nearest is {plain(near[0])}" if near else f"there are {held}{', ...' * (len(self.shapes) > 8)}"
        return f"{self.prefix}{key} {_named(axes)} is missing; {there}"


def _named(axes: tuple[str | int, ...]) -> str:
    return f"({', '.join(map(str, axes))}{',' * (len(axes) == 1)})"
