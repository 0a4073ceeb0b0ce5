"""Cutting out and adding axes: `x[:, ::2, ::2, :]`, `gate[:, None, None, :]`."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.reads import new_axes
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import NCHW, NHWC, Value
from attn_core.porting.network.steps.trace import attribute, fixed

Cut = tuple[int | None, int | None, int | None]
WHOLE: Cut = (None, None, None)


def _strided_slice(lifter: Lifter, node: Node) -> Value:
    x = lifter.value(node.inputs[0])
    added = new_axes(lifter.graph, node)
    if added is not None:
        return _to_image(lifter, node, x, added)
    if any(attribute(node, f"{name}_mask", 0) for name in ("ellipsis", "new_axis", "shrink_axis")):
        raise Unsupported("its index adds or takes away axes")
    begin, end, steps = (lifter.trace.integers(ref) for ref in node.inputs[1:])
    if begin is None or end is None or steps is None:
        raise Unsupported("the graph does not state its index")
    masks = [attribute(node, f"{name}_mask", 0) for name in ("begin", "end")]
    cuts = []
    for place, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        open_start, open_stop = (bool(mask >> place & 1) for mask in masks)
        if step is None or (start is None and not open_start) or (stop is None and not open_stop) or step < 1:
            raise Unsupported("its index follows the image's size, or runs backwards")
        cuts.append(
            (None if open_start or start == 0 else start, None if open_stop else stop, step if step > 1 else None)
        )
    return _cut(lifter, node, x, cuts)


def _slice(lifter: Lifter, node: Node) -> Value:
    x = lifter.value(node.inputs[0])
    begin, size = fixed(lifter.trace.integers(node.inputs[1])), lifter.trace.integers(node.inputs[2])
    if begin is None or size is None:
        raise Unsupported("the graph does not state its index")
    cuts: list[Cut] = []
    for start, count, whole in zip(begin, size, lifter.shape(node.inputs[0]), strict=True):
        if count is None and start != 0:
            raise Unsupported("its index follows the image's size")
        everything = count in (None, -1) or (count == whole and start == 0)
        cuts.append((start or None, None if everything or count is None else start + count, None))
    return _cut(lifter, node, x, cuts)


def _cut(lifter: Lifter, node: Node, x: Value, cuts: list[Cut]) -> Value:
    cuts = cuts + [WHOLE] * (x.rank - len(cuts))
    if all(cut == WHOLE for cut in cuts):
        return x
    canonical = tuple(cuts[x.axes.index(axis)] for axis in range(x.rank))
    if x.rank == 4 and canonical[0] == canonical[2] == canonical[3] == WHOLE and canonical[1][2] is None:
        whole = lifter.shape(node.inputs[0])[x.axes.index(1)]
        start, stop = canonical[1][0] or 0, canonical[1][1]
        if whole is not None and (stop is None or 0 <= start < stop <= whole):
            return lifter.add(node, "slice", (x,), {"axis": 1, "start": start, "stop": stop or whole, "size": whole})
    return lifter.add(node, "cut", (x,), {"cuts": canonical})


def _to_image(lifter: Lifter, node: Node, x: Value, added: tuple[bool, ...]) -> Value:
    """Make a vector an image of one pixel."""
    layouts = {(False, True, True, False): NHWC, (False, False, True, True): NCHW}
    kept = (*added, *(False,) * (x.rank + sum(added) - len(added)))
    if x.rank != 2 or kept not in layouts:
        raise Unsupported("it adds axes to something that is no vector, or makes no image of it")
    return lifter.add(node, "to_image", (x,), None, layouts[kept])


RULES: dict[str, Rule] = {"StridedSlice": _strided_slice, "Slice": _slice}
