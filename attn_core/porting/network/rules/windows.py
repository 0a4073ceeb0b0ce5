"""Pooling and borders."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.layers import in_space, layout
from attn_core.porting.network.rules.norms import shortest
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value
from attn_core.porting.network.steps.trace import attribute, fixed


def _pool(lifter: Lifter, node: Node, kind: str) -> Value:
    axes = layout(node)
    x = lifter.laid(lifter.value(node.inputs[0]), axes)
    if node.op == "MaxPoolV2":
        window, stride = (fixed(lifter.trace.integers(ref)) for ref in node.inputs[1:])
    else:
        window, stride = attribute(node, "ksize", ()), attribute(node, "strides", ())
    padding = attribute(node, "padding", "VALID").lower()
    if not window or not stride or padding not in ("same", "valid") or window[0] * window[axes.index(1)] != 1:
        raise Unsupported("it pools over something else than rows and columns of stated number")
    fields = {"window": in_space(window, axes), "stride": in_space(stride, axes), "padding": padding}
    return lifter.add(node, kind, (x,), fields)


def _pad(lifter: Lifter, node: Node) -> Value:
    x = lifter.value(node.inputs[0])
    numbers = fixed(lifter.trace.integers(node.inputs[1]))
    if numbers is None:
        raise Unsupported("the graph does not say how wide the border is")
    pairs = {axis: (numbers[2 * k], numbers[2 * k + 1]) for k, axis in enumerate(x.axes)}
    mode = attribute(node, "mode", "CONSTANT").lower()
    value = shortest(float(lifter.number(node.inputs[2]))) if node.op == "PadV2" else 0.0
    borders = tuple(pairs[axis] for axis in range(x.rank))
    if mode != "constant" and any(borders[0] + borders[1]):
        raise Unsupported("it mirrors batch or channels")
    return lifter.add(node, "pad", (x,), {"borders": borders, "mode": mode, "value": value})


RULES: dict[str, Rule] = {
    "AvgPool": partial(_pool, kind="mean_pool"),
    "MaxPool": partial(_pool, kind="max_pool"),
    "MaxPoolV2": partial(_pool, kind="max_pool"),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
}
