"""Running a graph on images of two sizes: what stays the same is constant, what differs follows the size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.ops.operation import dtype

RUNS = 2
SIZES = ("Shape", "ShapeN", "Size", "Rank")  # what reads nothing of an array but its sizes
_MOST = 16  # numbers of an array that may be a shape, axes or paddings

Sizes = tuple[int, ...]
OpenSizes = tuple[int | None, ...]  # None for what follows the size of the image


@dataclass
class Observed:
    """The shapes of all outputs and the values of small integer arrays, one for each run."""

    shapes: dict[Ref, list[Sizes]] = field(default_factory=dict)
    numbers: dict[Ref, list[NDArray[Any]]] = field(default_factory=dict)

    def copy(self) -> Observed:
        """Return a copy that further runs may add to."""
        shapes = {ref: list(runs) for ref, runs in self.shapes.items()}
        numbers = {ref: list(runs) for ref, runs in self.numbers.items()}
        return Observed(shapes, numbers)

    def watch(self, ref: Ref, array: NDArray[Any]) -> None:
        """Note an output of the run in progress."""
        self.shapes.setdefault(ref, []).append(array.shape)
        is_integer = array.dtype.kind in "iu"
        if is_integer and array.size <= _MOST:
            self.numbers.setdefault(ref, []).append(np.array(array))

    def constants(self, graph: Graph, names: Iterable[str]) -> None:
        """Note the constants among these nodes, which are the same in each run."""
        for name in names:
            node = graph.nodes[name]
            # A run shows what it computes, and no constants.
            if node.op == "Const":
                for _ in range(RUNS):
                    self.watch(Ref(name), graph.constant(node))

    def asked(self, nodes: Iterable[Node], run: int) -> dict[Ref, NDArray[Any]]:
        """Return what nodes that ask for sizes gave in a run."""
        return {
            Ref(node.name, place): np.asarray(found)
            for node in nodes
            for place, found in enumerate(self._sizes(node, run))
        }

    def _sizes(self, node: Node, run: int) -> list[Any]:
        kind = dtype(node, "out_type", "int32")
        shapes = [self.shapes[ref][run] for ref in node.inputs]
        if node.op in ("Shape", "ShapeN"):
            return [np.array(shape, kind) for shape in shapes]
        return [np.array(math.prod(shapes[0]), kind)] if node.op == "Size" else [np.int32(len(shapes[0]))]

    def shape(self, ref: Ref) -> OpenSizes:
        """Return a shape, None where it follows the image's."""
        return common(self.shapes[ref])

    def constant_shape(self, ref: Ref) -> Sizes:
        """Return the shape of what does not depend on the image, such as weights."""
        return self.shapes[ref][0]

    def integers(self, ref: Ref) -> OpenSizes | None:
        """Return small integers, flat, None where they follow the image's size; None if they are not known."""
        if ref not in self.numbers:
            return None
        runs = [tuple(int(n) for n in array.flat) for array in self.numbers[ref]]
        return common(runs)

    def fixed(self, ref: Ref) -> Sizes | None:
        """Return small integers, flat, if they are known and none follows the image's size."""
        return fixed(self.integers(ref))


def common(runs: list[Sizes]) -> OpenSizes:
    """Return what is the same in all runs; a rank that differs is an error."""
    return tuple(map(same_in_all, zip(*runs, strict=True)))


def same_in_all(entries: Sizes) -> int | None:
    """Return a number that is the same in all runs, else None."""
    different = set(entries)
    return entries[0] if len(different) == 1 else None


def fixed(numbers: OpenSizes | None) -> Sizes | None:
    """Return numbers if all of them are constant."""
    if numbers is None or None in numbers:
        return None
    return tuple(n for n in numbers if n is not None)
