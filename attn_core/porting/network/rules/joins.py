"""Putting images together and taking them apart."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.groups import grouped
from attn_core.porting.network.rules.regrouping import regrouped
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, CHANNELS
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
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
    along = axes[stated[0] % len(axes)]
    if along == CHANNELS and (conv := grouped(lifter, node, values)) is not None:
        return conv
    return lifter.add(node, "concat", tuple(values), {"axis": along, "rank": len(axes)})


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
    outputs = sorted(ref for ref in lifter.observed.shapes if ref.node == node.name)
    start = 0
    for ref in outputs:
        size = lifter.shape(ref)[place]
        if size is None or whole is None:
            raise Unsupported("the sizes of its parts follow the image")
        # Equal parts are known by their number, so that the source may say `chunk`.
        if whole == size * len(outputs):
            fields = {"axis": x.axes[place], "rank": x.rank, "part": ref.output, "parts": len(outputs)}
        else:
            fields = {"axis": x.axes[place], "rank": x.rank, "start": start, "stop": start + size, "size": whole}
        lifter.values[ref] = lifter.add(_output(node, ref), "slice", (x,), fields, path=node.name)
        start += size


def _stack(lifter: Lifter, node: Node) -> Value:
    """Lift what puts values one after the other along a new axis."""
    values = [lifter.value(ref) for ref in node.inputs if lifter.is_data(ref)]
    if len(values) != len(node.inputs):
        raise Unsupported("it puts an image beside weights")
    shapes = lifter.observed.shapes
    place = attribute(node, "axis", 0) % len(shapes[Ref(node.name)][0])
    each = [tuple(1 if axis == place else size for axis, size in enumerate(shape)) for shape in shapes[Ref(node.name)]]
    parts = []
    for k, (ref, value) in enumerate(zip(node.inputs, values, strict=True)):
        part = regrouped(lifter, _named(node, str(k)), value, shapes[ref], each)
        if part is None:
            raise Unsupported("it puts images of a batch into another axis")
        parts.append(part)
    axes = parts[0].axes
    parts = [lifter.laid(part, axes) for part in parts]
    return lifter.add(node, "concat", tuple(parts), {"axis": axes[place], "rank": len(axes)})


def _unstack(lifter: Lifter, node: Node) -> None:
    """Lift what takes a value apart along an axis, which goes: a slice for each output."""
    x, (data,) = lifter.input(node), node.inputs
    place = attribute(node, "axis", 0) % x.rank
    if x.axes[place] == BATCH:
        raise Unsupported("it takes a batch apart")
    outputs = sorted(ref for ref in lifter.observed.shapes if ref.node == node.name)
    for ref in outputs:
        fields = {"axis": x.axes[place], "rank": x.rank, "part": ref.output, "parts": len(outputs)}
        one = _output(node, ref)
        piece = lifter.add(_named(one, "one"), "slice", (x,), fields)
        after = lifter.observed.shapes[ref]
        before = [(*shape[:place], 1, *shape[place:]) for shape in after]
        found = regrouped(lifter, one, piece, before, after)
        if found is None:
            raise Unsupported(f"it takes {data.node!r} apart into other than images")
        lifter.values[ref] = found


def _gather(lifter: Lifter, node: Node) -> Value:
    """Lift what takes the entries of an axis by their places, which the graph states."""
    x, places, axis = lifter.input(node), *(lifter.fixed(ref) for ref in node.inputs[1:])
    if axis is None or places is None or attribute(node, "batch_dims", 0):
        raise Unsupported("the graph does not state which entries it takes")
    place = axis[0] % x.rank
    if x.axes[place] == BATCH or len(lifter.shape(node.inputs[1])) != 1:
        raise Unsupported("it takes images of a batch, or makes more axes of one")
    return lifter.add(node, "take", (x,), {"axis": x.axes[place], "places": places, "rank": x.rank})


def _named(node: Node, what: str) -> Node:
    """Return a node for what is done before the node's own step."""
    return Node(f"{node.name}:{what}", node.op, node.inputs, node.attributes)


def _output(node: Node, ref: Ref) -> Node:
    """Return one output of a node as a node of its own, for a step has one result."""
    name = f"{node.name}:{ref.output}" if ref.output else node.name
    return Node(name, node.op, node.inputs, node.attributes)


RULES: dict[str, Rule] = {
    "Concat": _concat,
    "ConcatV2": _concat,
    "Split": _split,
    "SplitV": _split,
    "Pack": _stack,
    "Unpack": _unstack,
    "GatherV2": _gather,
}
