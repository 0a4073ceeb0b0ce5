"""Sources whose blocks are others than here, under the same name: they are recognised, and refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """A class of somebody's code that no block here can express.

    ``because`` says in a sentence why; ``keys`` are names that all its state_dicts have; ``near`` is the nearest block
    here.
    """

    name: str
    near: str
    definition: str
    because: str
    keys: tuple[str, ...]

    def prefixes(self, names: Iterable[str]) -> list[str]:
        """Return what stands before the names of each block of this class."""
        held = set(names)
        starts = [name.removesuffix(self.keys[0]) for name in held if name.endswith(self.keys[0])]
        whole = [start for start in starts if all(start + key in held for key in self.keys)]
        return sorted(start for start in whole if not start or start.endswith("."))
