"""Putting images together and taking them apart."""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.groups import grouped
from attn_core.porting.network.rules.regrouping import regrouped
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, CHANNELS
from attn_core.porting.network.steps.beside import beside
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Value


def _concat(lifter: Lifter, node: Node) -> Value:
    # The axis comes first in the old operation, last in `ConcatV2`.
    if node.op == "Concat":
        axis, *refs = node.inputs
    else:
        *refs, axis = node.inputs
    stated = lifter.fixed(axis)
    values = [lifter.value(ref) for ref in refs if lifter.is_data(ref)]
    if stated is None or len(values) != len(refs):
        raise Unsupported("it puts an image beside weights, or along an axis that the graph does not state")
    axes = values[0].axes
    values = [lifter.laid(value, axes) for value in values]
    place = stated[0] % len(axes)
    along = axes[place]
    if along == CHANNELS and (conv := grouped(lifter, node, values)) is not None:
        return conv
    fields = {"axis": along, "rank": len(axes)}
    return lifter.add(node, "concat", tuple(values), fields)


def _split(lifter: Lifter, node: Node) -> None:
    """Lift a split: one slice for each of its outputs."""
    if node.op == "SplitV":
        data, axis = node.inputs[0], node.inputs[2]
    else:
        axis, data = node.inputs
    x = lifter.value(data)
    stated = lifter.fixed(axis)
    if stated is None:
        raise Unsupported("the graph does not say which axis it splits")
    place = stated[0] % x.rank
    whole = lifter.shape(data)[place]
    outputs = _outputs(lifter, node)
    start = 0
    for ref in outputs:
        size = lifter.shape(ref)[place]
        if size is None or whole is None:
            raise Unsupported("the sizes of its parts follow the image")
        stop = start + size
        # Equal parts are known by their number, so that the source may say `chunk`.
        if whole == size * len(outputs):
            fields = _equal_part(x, place, ref, outputs)
        else:
            fields = {"axis": x.axes[place], "rank": x.rank, "start": start, "stop": stop, "size": whole}
        one = _output(node, ref)
        lifter.values[ref] = lifter.add(one, "slice", (x,), fields, path=node.name)
        start = stop


def _stack(lifter: Lifter, node: Node) -> Value:
    """Lift what puts values one after the other along a new axis."""
    values = [lifter.value(ref) for ref in node.inputs if lifter.is_data(ref)]
    if len(values) != len(node.inputs):
        raise Unsupported("it puts an image beside weights")
    shapes = lifter.observed.shapes
    stacked = shapes[Ref(node.name)]
    rank = len(stacked[0])
    place = attribute(node, "axis", 0) % rank
    after = [_with_one(shape[:place], shape[place + 1 :]) for shape in stacked]
    parts = []
    for number, ref in enumerate(node.inputs):
        one = beside(node, str(number))
        part = regrouped(lifter, one, values[number], shapes[ref], after)
        if part is None:
            raise Unsupported("it puts images of a batch into another axis")
        parts.append(part)
    axes = parts[0].axes
    parts = [lifter.laid(part, axes) for part in parts]
    fields = {"axis": axes[place], "rank": len(axes)}
    return lifter.add(node, "concat", tuple(parts), fields)


def _unstack(lifter: Lifter, node: Node) -> None:
    """Lift what takes a value apart along an axis, which goes: a slice for each output."""
    x = lifter.input(node)
    (data,) = node.inputs
    place = attribute(node, "axis", 0) % x.rank
    if x.axes[place] == BATCH:
        raise Unsupported("it takes a batch apart")
    outputs = _outputs(lifter, node)
    for ref in outputs:
        fields = _equal_part(x, place, ref, outputs)
        one = _output(node, ref)
        piece = lifter.add(beside(one, "one"), "slice", (x,), fields)
        after = lifter.observed.shapes[ref]
        before = [_with_one(shape[:place], shape[place:]) for shape in after]
        found = regrouped(lifter, one, piece, before, after)
        if found is None:
            raise Unsupported(f"it takes {data.node!r} apart into other than images")
        lifter.values[ref] = found


def _gather(lifter: Lifter, node: Node) -> Value:
    """Lift what takes the entries of an axis by their places, which the graph states."""
    x = lifter.input(node)
    _, places_ref, axis_ref = node.inputs
    places, axis = lifter.fixed(places_ref), lifter.fixed(axis_ref)
    if axis is None or places is None or attribute(node, "batch_dims", 0):
        raise Unsupported("the graph does not state which entries it takes")
    place = axis[0] % x.rank
    along = x.axes[place]
    rank_of_places = len(lifter.shape(places_ref))
    if along == BATCH or rank_of_places != 1:
        raise Unsupported("it takes images of a batch, or makes more axes of one")
    fields = {"axis": along, "places": places, "rank": x.rank}
    return lifter.add(node, "take", (x,), fields)


def _outputs(lifter: Lifter, node: Node) -> list[Ref]:
    """Return the outputs of a node, in order."""
    return sorted(ref for ref in lifter.observed.shapes if ref.node == node.name)


def _output(node: Node, ref: Ref) -> Node:
    """Return one output of a node as a node of its own, for a step has one result."""
    return beside(node, str(ref.output)) if ref.output else node


def _equal_part(x: Value, place: int, ref: Ref, outputs: list[Ref]) -> dict[str, Any]:
    """Return the fields of a slice that is one of several equal parts."""
    return {"axis": x.axes[place], "rank": x.rank, "part": ref.output, "parts": len(outputs)}


def _with_one(before: Sizes, behind: Sizes) -> Sizes:
    """Return a shape with an axis of one between these."""
    return (*before, 1, *behind)


RULES: dict[str, Rule] = {
    "Concat": _concat,
    "ConcatV2": _concat,
    "Split": _split,
    "SplitV": _split,
    "Pack": _stack,
    "Unpack": _unstack,
    "GatherV2": _gather,
}
