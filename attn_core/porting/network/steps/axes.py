"""Which canonical axis each axis of a graph's array is, whatever the layout of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from attn_core.porting.graph.graph import Graph, Ref, integers
from attn_core.porting.graph.order import descendants

BATCH, CHANNELS, HEIGHT, WIDTH = range(4)  # the canonical axes of an image
SPACE = (HEIGHT, WIDTH)
LEAST, MOST = 3, 5  # axes of a signal, which has a length alone, and of a volume

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

    @property
    def space(self) -> tuple[int, ...]:
        """The canonical axes beside batch and channels."""
        return space(len(self))

    def spatial(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return the entries of these."""
        return tuple(self.entry(entries, axis) for axis in self.space)

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


def space(rank: int) -> tuple[int, ...]:
    """Return the canonical axes beside batch and channels."""
    return tuple(range(HEIGHT, rank))


def is_image(axes: int, rank: int) -> bool:
    """Whether arrays of so many axes are images in a network whose images have `rank` axes.

    In a network of signals or volumes, these are; what has four axes is an image in any. What has three axes in a
    network of images has lost its channels.
    """
    return axes in (rank, len(NHWC))


def unpermuted(rank: int) -> Axes:
    """Return the axes of an array that has them in canonical order."""
    return Axes(range(rank))


def channels_last(rank: int) -> Axes:
    """Return the axes of a signal, an image or a volume whose channels come last."""
    return Axes((BATCH, *space(rank), CHANNELS))


NHWC = channels_last(4)
NCHW = unpermuted(4)
VECTOR = unpermuted(2)


def is_grey(graph: Graph, image: Ref, rank: int) -> bool:
    """Whether images have three axes because they have none for their one channel, and are no signals.

    The first axis that the graph adds tells: it is the last one then; convolutions of signals add another.
    """
    if rank != LEAST:
        return False
    reached = descendants(graph, [image.node])
    for node in graph.nodes.values():
        if node.name not in reached or node.op not in ("ExpandDims", "Reshape") or len(node.inputs) != 2:
            continue
        stated = integers(graph, node.inputs[1])
        if node.op == "ExpandDims" and stated is not None:
            return stated[-1] in (-1, rank)
        if stated is not None and len(stated) == len(NHWC):
            return stated[-1] == 1
    return False


def image_rank(graph: Graph, image: Ref, rank: int) -> int:
    """Return how many axes the images inside a network have that is fed one of so many: vectors become images."""
    return rank if LEAST <= rank <= MOST and not is_grey(graph, image, rank) else len(NHWC)


def image_axes(graph: Graph, image: Ref, rank: int) -> Axes:
    """Return the axes of a signal, an image or a volume, which the first layer tells."""
    if not LEAST <= rank <= MOST or is_grey(graph, image, rank):
        return unpermuted(rank)
    reached = descendants(graph, [image.node])
    for node in graph.nodes.values():
        if node.name not in reached:
            continue
        layout = node.attributes["data_format"].s
        # A program transposes its images from NHWC to NCHW, which is faster on a GPU: before that they are NHWC.
        if layout or node.op == "Transpose":
            return unpermuted(rank) if layout.startswith(b"NC") else channels_last(rank)
    return channels_last(rank)
