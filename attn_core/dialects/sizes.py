"""The shapes of somebody's arrays, from which the configuration of a block is read."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.dialects.layout import Layer

Shape = tuple[int, ...]

MOST_BYTES = 1 << 34  # of the arrays of a file: more is refused, as a small file could claim any number


class DialectError(ValueError):
    """Arrays that are not what a dialect says, or a block that it cannot express; the message names each fault."""


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


def plain(name: str) -> str:
    """Return a name from outside as a message can hold it."""
    return name if name.isprintable() and len(name) < 200 else reprlib.repr(name)


def shape_of(value: Any) -> Shape:
    """Return the shape of an array of any framework; of what is none, the empty one."""
    shape = getattr(value, "shape", None)
    return tuple(map(int, shape)) if isinstance(shape, tuple | list) else np.shape(value)


def array_of(name: str, value: Any) -> NDArray[Any]:
    """Return an array of any framework as NumPy's, with its dtype.

    PyTorch's bfloat16, which NumPy has not, becomes float32, which holds the same numbers. **Raises** `DialectError`
    for what holds no real numbers.
    """
    try:
        own = value.detach().cpu() if hasattr(value, "detach") else value
        array = np.asarray(own.float() if str(getattr(own, "dtype", "")) == "torch.bfloat16" else own)
    except (ValueError, TypeError, RuntimeError) as error:  # what arrays of frameworks raise
        raise DialectError(f"{plain(name)} is no array ({error}).") from None
    if array.dtype == bool or not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise DialectError(f"{plain(name)} must hold real numbers, got {array.dtype}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def require_small(path: object, size: int) -> None:
    """Raise `DialectError` for a file that claims more than `MOST_BYTES`."""
    if size > MOST_BYTES:
        raise DialectError(f"{path}: claims {size:,} bytes of arrays; at most {MOST_BYTES:,} are read.")
