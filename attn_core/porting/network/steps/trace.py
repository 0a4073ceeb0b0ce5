"""Running a graph on images of two sizes: what stays the same is constant, what differs follows the size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Ref

RUNS = 2
_MOST = 16  # numbers of an array that may be a shape, axes or paddings


@dataclass
class Trace:
    """The shapes of all outputs and the values of small integer arrays, one for each run."""

    shapes: dict[Ref, list[tuple[int, ...]]] = field(default_factory=dict)
    numbers: dict[Ref, list[NDArray[Any]]] = field(default_factory=dict)

    def watch(self, ref: Ref, array: NDArray[Any]) -> None:
        """Note an output of the run in progress."""
        self.shapes.setdefault(ref, []).append(array.shape)
        if array.dtype.kind in "iu" and array.size <= _MOST:
            self.numbers.setdefault(ref, []).append(np.array(array))

    def constants(self, graph: Graph, names: Iterable[str]) -> None:
        """Note the constants among these nodes, which are the same in each run."""
        for name in names:
            if graph.nodes[name].op == "Const":
                for _ in range(RUNS):
                    self.watch(Ref(name), graph.constant(graph.nodes[name]))

    def shape(self, ref: Ref) -> tuple[int | None, ...]:
        """Return a shape, None where it follows the image's."""
        return _common(self.shapes[ref])

    def integers(self, ref: Ref) -> tuple[int | None, ...] | None:
        """Return small integers, flat, None where they follow the image's size; None if they are not known."""
        if ref not in self.numbers:
            return None
        return _common([tuple(int(n) for n in array.flat) for array in self.numbers[ref]])


def _common(runs: list[tuple[int, ...]]) -> tuple[int | None, ...]:
    return tuple(entries[0] if len(set(entries)) == 1 else None for entries in zip(*runs, strict=True))


def fixed(numbers: tuple[int | None, ...] | None) -> tuple[int, ...] | None:
    """Return numbers if all of them are constant."""
    return None if numbers is None or None in numbers else tuple(n for n in numbers if n is not None)


def attribute(node: Any, name: str, default: Any) -> Any:
    """Return an attribute of a node as a Python value; the default where the file leaves it out."""
    attributes: Mapping[str, Any] = node.attributes
    if name not in attributes:
        return default
    value = attributes[name]
    kind = value.WhichOneof("value")
    if kind is None:  # looked for before, which leaves it there empty
        return default
    if kind == "list":
        return tuple(value.list.i)
    found = getattr(value, kind)
    return found.decode() if isinstance(found, bytes) else found
