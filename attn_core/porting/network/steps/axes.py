"""Which canonical axis each axis of a graph's array is, whatever the layout of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.order import descendants

BATCH, CHANNELS, HEIGHT, WIDTH = range(4)  # the canonical axes of an image
SPACE = (HEIGHT, WIDTH)

Entry = TypeVar("Entry")


class Axes(tuple[int, ...]):
    """The canonical axes in the order in which an array of the graph has them.

    What TensorFlow states for an array (strides, borders, paddings) has an entry for each of the array's axes; these
    methods tell which entry is whose.
    """

    __slots__ = ()

    @property
    def places(self) -> tuple[int, ...]:
        """Where each canonical axis stands in the graph's array."""
        return tuple(self.index(axis) for axis in range(len(self)))

    @property
    def in_order(self) -> bool:
        """Whether the array has its axes in canonical order, perhaps not all of them."""
        return list(self) == sorted(self)

    def entry(self, entries: Sequence[Entry], axis: int) -> Entry:
        """Return the entry of a canonical axis."""
        return entries[self.index(axis)]

    def spatial(self, entries: Sequence[Entry]) -> tuple[Entry, Entry]:
        """Return the entries of rows and columns."""
        return self.entry(entries, HEIGHT), self.entry(entries, WIDTH)

    def canonical(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Put entries into canonical order."""
        return tuple(entries[place] for place in self.places)

    def pairs(self, numbers: Sequence[Entry]) -> tuple[tuple[Entry, Entry], ...]:
        """Return before and after for each axis, where they stand in a row: as paddings do."""
        starts = range(0, 2 * len(self), 2)
        return tuple((numbers[start], numbers[start + 1]) for start in starts)

    def in_graph(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Put entries that are in canonical order into that of the graph's array."""
        return tuple(entries[axis] for axis in self)


NHWC = Axes((BATCH, HEIGHT, WIDTH, CHANNELS))
NCHW = Axes((BATCH, CHANNELS, HEIGHT, WIDTH))
VECTOR = Axes((BATCH, CHANNELS))


def unpermuted(rank: int) -> Axes:
    """Return the axes of an array that has them in canonical order."""
    return Axes(range(rank))


def image_axes(graph: Graph, image: Ref, rank: int) -> Axes:
    """Return the axes of an image, which the first layer tells."""
    if rank != len(NHWC):
        return unpermuted(rank)
    reached = descendants(graph, [image.node])
    for node in graph.nodes.values():
        if node.name not in reached:
            continue
        layout = node.attributes["data_format"].s
        # A program transposes its images from NHWC to NCHW, which is faster on a GPU: before that they are NHWC.
        if layout or node.op == "Transpose":
            return NCHW if layout == b"NCHW" else NHWC
    return NHWC
