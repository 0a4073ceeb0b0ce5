"""Means, maxima and sums over whole axes."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value
from attn_core.porting.network.steps.trace import attribute, fixed

KINDS = {"Mean": "mean", "Max": "max", "Min": "min", "Sum": "sum"}


def _reduce(lifter: Lifter, node: Node, kind: str) -> Value:
    x = lifter.value(node.inputs[0])
    found = fixed(lifter.trace.integers(node.inputs[1]))
    if found is None:
        raise Unsupported("the graph does not say over which axes it goes")
    source = {axis % x.rank for axis in found}
    axes = tuple(sorted(x.axes[axis] for axis in source))
    if 0 in axes:
        raise Unsupported("it goes over the batch")
    keep = bool(attribute(node, "keep_dims", False))
    left = x.axes if keep else tuple(x.axes[k] for k in range(x.rank) if k not in source)
    if not keep:
        if list(left) != sorted(left):
            raise Unsupported("what it leaves of the image has its axes in another order")
        left = tuple(range(len(left)))
    return lifter.add(node, kind, (x,), {"axes": axes, "keep": keep, "rank": x.rank}, left)


RULES: dict[str, Rule] = {op: partial(_reduce, kind=kind) for op, kind in KINDS.items()}
