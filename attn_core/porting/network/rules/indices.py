"""Cutting out, turning round and adding axes by an index: `x[:, ::2, ::2, :]`, `gate[:, None, None, :]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import new_axes
from attn_core.porting.network.rules.cuts import WHOLE, Cut, cut_out
from attn_core.porting.network.rules.regrouping import regrouped
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, NCHW, NHWC, VECTOR, channels_last, unpermuted
from attn_core.porting.network.steps.beside import beside
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Value

_ADDED = {  # by which axes of the result are new
    (False, True, False): channels_last(3),
    (False, False, True): unpermuted(3),
    (False, True, True, False): NHWC,
    (False, False, True, True): NCHW,
    (False, True, True, True, False): channels_last(5),
    (False, False, True, True, True): unpermuted(5),
}
BACKWARDS = Cut(step=-1)
_FOLLOWS = "its index follows the image's size, or runs backwards in part"


def _strided_slice(lifter: Lifter, node: Node) -> Value:
    """Lift an index: it turns round and cuts, and takes axes away or adds some."""
    x = lifter.input(node)
    added = new_axes(lifter.graph, node)
    if added is not None and _makes_image(lifter, x, added):
        return _to_image(lifter, node, x, added)
    index = list(_entries(lifter, node, x))
    changes_axes = any(entry.is_new or entry.is_one for entry in index)
    value = _turned_and_cut(lifter, node, x, index, changes_axes)
    return _with_axes(lifter, node, value, index) if changes_axes else value


class _Entry(NamedTuple):
    """What an index says of one axis: a new one has no cut that would mean something."""

    cut: Cut = WHOLE
    is_new: bool = False
    is_one: bool = False


def _turned_and_cut(lifter: Lifter, node: Node, x: Value, index: Sequence[_Entry], more: bool) -> Value:
    """Lift what an index does to the axes that were there; `more` if the node's own step comes after that."""
    cuts = [entry.cut for entry in index if not entry.is_new]
    backwards = [x.axes[place] for place, cut in enumerate(cuts) if cut == BACKWARDS]
    forwards = [WHOLE if cut == BACKWARDS else cut for cut in cuts]
    value = x
    if backwards:
        # The last of several steps has the node's name, for that is where its result is read.
        is_last = not more and all(cut == WHOLE for cut in forwards)
        turn = node if is_last else beside(node, "turned")
        value = turned(lifter, turn, value, backwards)
    own = beside(node, "cut") if more else node
    return cut_out(lifter, own, value, forwards)


# ---- what an index says ----------------------------------------------------------------------------------------------


class _Masks(NamedTuple):
    """What an index says in bits, one for each of its entries; or the bits of one entry."""

    begin: int
    end: int
    ellipsis: int
    new_axis: int
    shrink_axis: int

    def at(self, place: int) -> _Masks:
        """Return the bits of an entry."""
        bits = (mask >> place & 1 for mask in self)
        return _Masks(*bits)


def _entries(lifter: Lifter, node: Node, x: Value) -> Iterator[_Entry]:
    """Yield what an index says of each axis."""
    begin, end, steps = (lifter.integers(ref) for ref in node.inputs[1:])
    if begin is None or end is None or steps is None:
        raise Unsupported("the graph does not state its index")
    masks = _Masks(*(attribute(node, f"{name}_mask", 0) for name in _Masks._fields))
    flags = [masks.at(place) for place in range(len(begin))]
    # An ellipsis stands for the axes that no other entry is of, and at the end there is one that is not written.
    said = sum(not (flag.ellipsis or flag.new_axis) for flag in flags)
    unsaid = [_Entry()] * (x.rank - said)
    for flag, start, stop, step in zip(flags, begin, end, steps, strict=True):
        if flag.ellipsis:
            yield from unsaid
        elif flag.new_axis:
            yield _Entry(is_new=True)
        elif flag.shrink_axis:
            yield _one(start)
        else:
            yield _range(flag, start, stop, step)
    if not masks.ellipsis:
        yield from unsaid


def _one(place: int | None) -> _Entry:
    """Return the entry of a single place, which may be counted from the end."""
    if place is None:
        raise Unsupported(_FOLLOWS)
    behind = place + 1
    # Behind the last place, -1, there is none: 0 would be the first.
    return _Entry(Cut(place or None, behind or None), is_one=True)


def _range(flag: _Masks, start: int | None, stop: int | None, step: int | None) -> _Entry:
    """Return the entry of several places; where a bit is set, the number beside it means nothing."""
    is_whole = flag.begin and flag.end
    if is_whole and step == -1:
        return _Entry(BACKWARDS)
    start_follows = start is None and not flag.begin
    stop_follows = stop is None and not flag.end
    if step is None or step < 1 or start_follows or stop_follows:
        raise Unsupported(_FOLLOWS)
    first = None if flag.begin else start
    last = None if flag.end else stop
    return _Entry(Cut(first or None, last, None if step == 1 else step))


# ---- axes that come and go -------------------------------------------------------------------------------------------


def _with_axes(lifter: Lifter, node: Node, value: Value, index: Sequence[_Entry]) -> Value:
    """Take axes away that an index has at one place, and add the new ones."""
    after = lifter.observed.shapes[Ref(node.name)]
    before = [_shape_before(shape, index) for shape in after]
    found = regrouped(lifter, node, value, before, after)
    if found is None:
        raise Unsupported("it adds or takes away the axis of images")
    return found


def _shape_before(after: Sizes, index: Sequence[_Entry]) -> Sizes:
    """Return the shape of what was cut out, with the axes that go and without those that come."""
    sizes = iter(after)
    before = []
    for entry in index:
        if entry.is_one:
            before.append(1)
            continue
        size = next(sizes)
        if not entry.is_new:
            before.append(size)
    return tuple(before)


def _makes_image(lifter: Lifter, x: Value, added: tuple[bool, ...]) -> bool:
    """Whether axes that a vector is given make it an image of one pixel."""
    is_new = _is_new(x, added)
    return x.rank == len(VECTOR) and is_new in _ADDED and lifter.is_image(len(is_new))


def _is_new(x: Value, added: tuple[bool, ...]) -> tuple[bool, ...]:
    unsaid = x.rank + sum(added) - len(added)  # axes at the end that the index leaves out
    return added + (False,) * unsaid


def _to_image(lifter: Lifter, node: Node, x: Value, added: tuple[bool, ...]) -> Value:
    """Make a vector an image of one pixel."""
    is_new = _is_new(x, added)
    rank = len(is_new)
    return lifter.add(node, "to_image", (x,), {"rank": rank}, _ADDED[is_new])


# ---- axes that are turned round --------------------------------------------------------------------------------------


def turned(lifter: Lifter, node: Node, x: Value, axes: Sequence[int]) -> Value:
    """Lift what turns axes round, such as the colours of an image."""
    if BATCH in axes:
        raise Unsupported("it turns the order of the images round")
    fields = {"axes": tuple(sorted(axes)), "rank": x.rank}
    return lifter.add(node, "flip", (x,), fields)


def _reverse(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    places = lifter.fixed(node.inputs[1])
    if places is None:
        raise Unsupported("the graph does not say which axes it turns round")
    axes = [x.axes[place] for place in places]
    return turned(lifter, node, x, axes)


RULES: dict[str, Rule] = {"StridedSlice": _strided_slice, "ReverseV2": _reverse}
