"""Reading TensorFlow checkpoints, V1 and V2, without TensorFlow."""

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.tf1.bundle import Bundle
from attn_core.weights.files.tf1.locate import Location, locate
from attn_core.weights.files.tf1.slices import SliceFile


class Store(Protocol):
    """What both formats offer; ``name`` is one of ``names()``."""

    def names(self) -> list[str]:
        """Return the names of all variables."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable."""

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of the array that ``read`` gives."""

    def read(self, name: str) -> NDArray[Any]:
        """Return a variable."""


class Checkpoint(Mapping[str, NDArray[Any]]):
    """The variables of a checkpoint by name; each is read, checked and returned as a new array when asked for.

    Names come in sorted order. bfloat16 arrives as float32, quantised integers as plain ones, strings as ``bytes`` in
    an array of objects.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self._store: Store = Bundle(location.prefix) if location.format == "V2" else SliceFile(location.prefix)
        self._names = dict.fromkeys(self._store.names())

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._store.read(self._known(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    __eq__ = object.__eq__  # Mapping's would read every array of both
    __hash__ = object.__hash__

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable without reading it."""
        return self._store.shape(self._known(name))

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a variable's array without reading it."""
        return self._store.dtype(self._known(name))

    def __repr__(self) -> str:
        names = list(self._names)
        some = ", ".join(names[:3] + ["..."] * (len(names) > 3))
        where = f"{str(self.location.prefix)!r} ({self.location.format})"
        return f"<Checkpoint {where}: {len(names)} variable{'s' * (len(names) != 1)}: {some}>"

    def _known(self, name: str) -> str:
        if name in self._names:
            return name
        near = difflib.get_close_matches(name, self._names, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"list(checkpoint) gives its {len(self)} names."
        raise KeyError(f"no variable {name!r} in {self.location.prefix}; {hint}")


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Open the checkpoint at ``path``: a prefix, an ``.index`` or V1 file, or a folder (see ``locate``).

    Only the list of variables is read now; ``checkpoint[name]`` reads one variable, of the shape it had in TensorFlow
    (a dense kernel is (in, out), a convolution's (height, width, in, out)).

    **Raises** `CheckpointError`: a file is damaged or holds something unknown, reading a variable may raise it too;
    `FileNotFoundError`: a file is missing, likewise.
    """
    return Checkpoint(locate(path))
