"""Cutting out by a start and a number of places: `tf.slice`."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.crops import cropped
from attn_core.porting.network.rules.cuts import Cut, cut_out
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import OpenSizes, Sizes, common
from attn_core.porting.network.steps.steps import Array, Value

_REST = -1  # as a number of places: all that follow


def _slice(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    begin, size = (lifter.integers(ref) for ref in node.inputs[1:])
    if begin is None or size is None:
        raise Unsupported("the graph does not state its index")
    follows_image = None in (*begin, *size)
    crop = cropped(lifter, node, x) if follows_image else None
    if crop is not None:
        return crop
    left = _left_behind(lifter, node)
    cuts = [_cut(*of_axis) for of_axis in zip(begin, size, left, strict=True)]
    return cut_out(lifter, node, x, cuts)


def _cut(start: int | None, count: int | None, behind: int | None) -> Cut:
    """Return the cut of an axis by what is left behind it. **Raises** `Unsupported` if that does not tell it."""
    if start is None:
        raise Unsupported("its index follows the image's size")
    first = start or None
    # What reaches to the end is said without its size, which the image gives.
    if behind == 0:
        return Cut(first)
    if count is not None:
        return Cut(first, start + count)
    # A count that follows the image's size is what a border of the same width leaves, as a crop's is.
    if behind is None or behind < 0:
        raise Unsupported("its index follows the image's size")
    return Cut(first, -behind)


def _left_behind(lifter: Lifter, node: Node) -> OpenSizes:
    """Return how much of each axis lies behind a cut, None where that follows the image's size."""
    image, begin, size = node.inputs
    shapes, numbers = lifter.observed.shapes, lifter.observed.numbers
    runs = zip(shapes[image], numbers[begin], numbers[size], strict=True)
    return common([_left(*run) for run in runs])


def _left(shape: Sizes, start: Array, count: Array) -> Sizes:
    """Return how much of each axis lies behind a cut in one run."""
    axes = zip(shape, start.flat, count.flat, strict=True)
    return tuple(0 if n == _REST else int(whole - first - n) for whole, first, n in axes)


RULES: dict[str, Rule] = {"Slice": _slice}
