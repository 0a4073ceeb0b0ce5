"""Cutting out and adding axes: `x[:, ::2, ::2, :]`, `gate[:, None, None, :]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import new_axes
from attn_core.porting.network.rules.crops import cropped
from attn_core.porting.network.rules.regrouping import regrouped
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
_MASKS = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
BACKWARDS = Cut(step=-1)
_FOLLOWS = "its index follows the image's size, or runs backwards in part"


def _strided_slice(lifter: Lifter, node: Node) -> Value:
    """Lift an index: it cuts, and takes axes away or adds some."""
    x = lifter.input(node)
    added = new_axes(lifter.graph, node)
    if added is not None and _makes_image(lifter, x, added):
        return _to_image(lifter, node, x, added)
    index = list(_entries(lifter, node, x))
    cuts = [entry.cut for entry in index if not entry.is_new]
    backwards = [x.axes[place] for place, cut in enumerate(cuts) if cut == BACKWARDS]
    cuts = [WHOLE if cut == BACKWARDS else cut for cut in cuts]
    changes = any(entry.is_new or entry.is_one for entry in index)
    value = x
    if backwards:
        value = turned(lifter, _named(node, "turned") if changes or any(map(any, cuts)) else node, value, backwards)
    value = _cut(lifter, _named(node, "cut") if changes else node, value, cuts)
    return _without(lifter, node, value, index) if changes else value


class _Entry(NamedTuple):
    """What an index says of one axis: a new one has no cut that would mean something."""

    cut: Cut = WHOLE
    is_new: bool = False
    is_one: bool = False


def _entries(lifter: Lifter, node: Node, x: Value) -> Iterator[_Entry]:
    """Yield what an index says of each axis; each bit of a mask speaks of one of its entries."""
    begin, end, steps = (lifter.integers(ref) for ref in node.inputs[1:])
    if begin is None or end is None or steps is None:
        raise Unsupported("the graph does not state its index")
    masks = {name: attribute(node, f"{name}_mask", 0) for name in _MASKS}
    unsaid = x.rank - sum(not (masks["ellipsis"] | masks["new_axis"]) >> place & 1 for place in range(len(begin)))
    for place, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        has = {name: bool(mask >> place & 1) for name, mask in masks.items()}
        if has["ellipsis"]:
            yield from [_Entry()] * unsaid
        elif has["new_axis"]:
            yield _Entry(is_new=True)
        elif has["shrink_axis"]:
            if start is None:
                raise Unsupported(_FOLLOWS)
            yield _Entry(Cut(start or None, start + 1 or None), is_one=True)
        else:
            yield _Entry(_stated(None if has["begin"] else (start,), None if has["end"] else (stop,), step))
    if not masks["ellipsis"]:
        yield from [_Entry()] * unsaid


def _stated(start: tuple[int | None] | None, stop: tuple[int | None] | None, step: int | None) -> Cut:
    """Return a cut by what an index states of it; None of what it leaves open."""
    if step == -1 and start is None and stop is None:
        return BACKWARDS
    if step is None or step < 1 or (None,) in (start, stop):
        raise Unsupported(_FOLLOWS)
    first = (start or (None,))[0] or None
    return Cut(first, (stop or (None,))[0], None if step == 1 else step)


def _without(lifter: Lifter, node: Node, value: Value, index: Sequence[_Entry]) -> Value:
    """Take axes away that an index has at one place, and add the new ones."""
    before, after = [], lifter.observed.shapes[Ref(node.name)]
    for shape in after:
        sizes = iter(shape)
        whole = [1 if entry.is_one else next(sizes) for entry in index if not (entry.is_new and next(sizes))]
        before.append(tuple(whole))
    found = regrouped(lifter, node, value, before, after)
    if found is None:
        raise Unsupported("it adds or takes away the axis of images")
    return found


def _named(node: Node, what: str) -> Node:
    """Return a node for what is done before the node's own step."""
    return Node(f"{node.name}:{what}", node.op, node.inputs, node.attributes)


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


def _makes_image(lifter: Lifter, x: Value, added: tuple[bool, ...]) -> bool:
    """Whether axes that a vector is given make it an image of one pixel."""
    is_new = _is_new(x, added)
    return x.rank == len(VECTOR) and is_new in _ADDED and lifter.is_image(len(is_new))


def _is_new(x: Value, added: tuple[bool, ...]) -> tuple[bool, ...]:
    unsaid = x.rank + sum(added) - len(added)  # axes at the end that the index leaves out
    return (*added, *[False] * unsaid)


def _to_image(lifter: Lifter, node: Node, x: Value, added: tuple[bool, ...]) -> Value:
    """Make a vector an image of one pixel."""
    is_new = _is_new(x, added)
    return lifter.add(node, "to_image", (x,), {"rank": len(is_new)}, _ADDED[is_new])


def turned(lifter: Lifter, node: Node, x: Value, axes: Sequence[int]) -> Value:
    """Lift what turns axes round, such as the colours of an image."""
    if BATCH in axes:
        raise Unsupported("it turns the order of the images round")
    return lifter.add(node, "flip", (x,), {"axes": tuple(sorted(axes)), "rank": x.rank})


def _reverse(lifter: Lifter, node: Node) -> Value:
    x, axes = lifter.input(node), lifter.fixed(node.inputs[1])
    if axes is None:
        raise Unsupported("the graph does not say which axes it turns round")
    return turned(lifter, node, x, [x.axes[place] for place in axes])


RULES: dict[str, Rule] = {"StridedSlice": _strided_slice, "Slice": _slice, "ReverseV2": _reverse}
