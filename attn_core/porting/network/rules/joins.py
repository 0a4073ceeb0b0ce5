"""Putting images together and taking them apart."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.groups import grouped
from attn_core.porting.network.steps.axes import CHANNELS
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


def _output(node: Node, ref: Ref) -> Node:
    """Return one output of a node as a node of its own, for a step has one result."""
    name = f"{node.name}:{ref.output}" if ref.output else node.name
    return Node(name, node.op, node.inputs, node.attributes)


RULES: dict[str, Rule] = {
    "Concat": _concat,
    "ConcatV2": _concat,
    "Split": _split,
    "SplitV": _split,
}
