"""Cutting the middle of an image out, of the size of another: what a U-Net does before it joins the two."""

from __future__ import annotations

from collections.abc import Sequence

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.resizing import image_of_size
from attn_core.porting.network.steps.axes import BATCH, CHANNELS, NHWC, SPACE, Axes
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Value


def cropped(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift a `Slice` whose start and size follow two images, if it is the middle of the one, of the other's size."""
    if x.rank != len(NHWC):
        return None
    image, begin, size = node.inputs
    numbers = lifter.observed.numbers
    wanted = []
    for whole, start, count in zip(lifter.observed.shapes[image], numbers[begin], numbers[size], strict=True):
        run = _middle(x.axes, whole, tuple(map(int, start.flat)), tuple(map(int, count.flat)))
        if run is None:
            return None
        wanted.append(run)
    like = image_of_size(lifter, size, wanted, image)
    return lifter.add(node, "crop", (x, like)) if like is not None else None


def _middle(axes: Axes, whole: Sizes, start: Sequence[int], count: Sequence[int]) -> Sizes | None:
    """Return the height and width that are cut out of the middle; None if something else is."""
    for axis in (BATCH, CHANNELS):
        is_whole = axes.entry(count, axis) in (-1, axes.entry(whole, axis))
        if axes.entry(start, axis) != 0 or not is_whole:
            return None
    sizes = [(axes.entry(whole, axis), axes.entry(start, axis), axes.entry(count, axis)) for axis in SPACE]
    if any(first != (total - n) // 2 for total, first, n in sizes):
        return None
    return tuple(n for _, _, n in sizes)
