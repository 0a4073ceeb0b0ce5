"""Cutting out and adding axes: `x[:, ::2, ::2, :]`, `gate[:, None, None, :]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.reads import new_axes
from attn_core.porting.network.rules.crops import cropped
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, CHANNELS, NCHW, NHWC, VECTOR, channels_last, unpermuted
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import OpenSizes
from attn_core.porting.network.steps.steps import Value

_ADDED = {  # by which axes of the result are new
    (False, True, False): channels_last(3),
    (False, False, True): unpermuted(3),
    (False, True, True, False): NHWC,
    (False, False, True, True): NCHW,
    (False, True, True, True, False): channels_last(5),
    (False, False, True, True, True): unpermuted(5),
}


class Cut(NamedTuple):
    """A slice of one axis, None for what need not be said."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


WHOLE = Cut()


def _strided_slice(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    added = new_axes(lifter.graph, node)
    if added is not None:
        return _to_image(lifter, node, x, added)
    if any(attribute(node, f"{name}_mask", 0) for name in ("ellipsis", "new_axis", "shrink_axis")):
        raise Unsupported("its index adds or takes away axes")
    begin, end, steps = (lifter.integers(ref) for ref in node.inputs[1:])
    if begin is None or end is None or steps is None:
        raise Unsupported("the graph does not state its index")
    # Where the bit of an axis is set, its number is not meant: of x[:, 1:] the first start and both stops are open.
    open_starts = attribute(node, "begin_mask", 0)
    open_stops = attribute(node, "end_mask", 0)
    cuts = []
    for place, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        starts_open = open_starts >> place & 1
        stops_open = open_stops >> place & 1
        follows = (start is None and not starts_open) or (stop is None and not stops_open)
        if follows or step is None or step < 1:
            raise Unsupported("its index follows the image's size, or runs backwards")
        if starts_open or start == 0:
            start = None
        if stops_open:
            stop = None
        if step == 1:
            step = None
        cuts.append(Cut(start, stop, step))
    return _cut(lifter, node, x, cuts)


def _slice(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    begin, size = (lifter.integers(ref) for ref in node.inputs[1:])
    if begin is None or size is None:
        raise Unsupported("the graph does not state its index")
    crop = cropped(lifter, node, x) if None in (*begin, *size) else None
    if crop is not None:
        return crop
    left = _left_behind(lifter, node)
    cuts = []
    for start, count, behind in zip(begin, size, left, strict=True):
        # A count that follows the image's size is what a border of the same width leaves, as a crop's is.
        if start is None or (count is None and (behind is None or behind < 0)):
            raise Unsupported("its index follows the image's size")
        is_rest = count is None or behind == 0
        stop = (-behind if behind else None) if is_rest else start + (count or 0)
        cuts.append(Cut(start or None, stop))
    return _cut(lifter, node, x, cuts)


def _left_behind(lifter: Lifter, node: Node) -> OpenSizes:
    """Return how much of each axis lies behind a cut, None where that follows the image's size."""
    image, begin, size = node.inputs
    numbers, runs = lifter.observed.numbers, []
    for whole, start, count in zip(lifter.observed.shapes[image], numbers[begin], numbers[size], strict=True):
        axes = zip(whole, start.flat, count.flat, strict=True)
        runs.append([0 if n == -1 else int(total - first - n) for total, first, n in axes])
    return tuple(each[0] if len(set(each)) == 1 else None for each in zip(*runs, strict=True))


def _cut(lifter: Lifter, node: Node, x: Value, stated: Sequence[Cut]) -> Value:
    missing = x.rank - len(stated)
    cuts = [*stated, *[WHOLE] * missing]  # an index may leave out the last axes
    if all(cut == WHOLE for cut in cuts):
        return x
    canonical = x.axes.canonical(cuts)
    piece = _of_channels(lifter, node, x, canonical)
    return piece or lifter.add(node, "cut", (x,), {"cuts": canonical})


def _of_channels(lifter: Lifter, node: Node, x: Value, cuts: Sequence[Cut]) -> Value | None:
    """Lift a cut of channels alone as a slice, of which several may make the groups of a convolution."""
    if not lifter.is_image(x.rank):
        return None
    others = {cuts[axis] for axis in (BATCH, *x.axes.space)}
    if others != {WHOLE}:
        return None
    cut = cuts[CHANNELS]
    whole = x.axes.entry(lifter.shape(node.inputs[0]), CHANNELS)
    if whole is None or cut.step is not None:
        return None
    start = cut.start or 0
    if cut.stop is not None and not 0 <= start < cut.stop <= whole:
        return None
    fields = {"axis": CHANNELS, "rank": x.rank, "start": start, "stop": cut.stop or whole, "size": whole}
    return lifter.add(node, "slice", (x,), fields)


def _to_image(lifter: Lifter, node: Node, x: Value, added: tuple[bool, ...]) -> Value:
    """Make a vector an image of one pixel."""
    unsaid = x.rank + sum(added) - len(added)  # axes at the end that the index leaves out
    is_new = (*added, *[False] * unsaid)
    if x.rank != len(VECTOR) or is_new not in _ADDED or not lifter.is_image(len(is_new)):
        raise Unsupported("it adds axes to something that is no vector, or makes no image of it")
    return lifter.add(node, "to_image", (x,), {"rank": len(is_new)}, _ADDED[is_new])


RULES: dict[str, Rule] = {"StridedSlice": _strided_slice, "Slice": _slice}
