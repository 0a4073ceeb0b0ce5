"""Means, maxima and sums over whole axes."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, CHANNELS, Axes
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value

KINDS = {"Mean": "mean", "Max": "max", "Min": "min", "Sum": "sum"}


def _reduce(lifter: Lifter, node: Node, kind: str) -> Value:
    x = lifter.input(node)
    stated = lifter.fixed(node.inputs[1])
    if stated is None:
        raise Unsupported("the graph does not say over which axes it goes")
    gone = {place % x.rank for place in stated}
    axes = tuple(sorted(x.axes[place] for place in gone))
    if BATCH in axes:
        raise Unsupported("it goes over the batch")
    # Python calls the argument `keepdims` by now; the attribute kept its first name.
    keep = bool(attribute(node, "keep_dims", False))
    left = x.axes if keep else without(lifter, x.axes, gone)
    return lifter.add(node, kind, (x,), {"axes": axes, "keep": keep, "rank": x.rank}, left)


def without(lifter: Lifter, axes: Axes, gone: set[int]) -> Axes:
    """Return what is left of axes when those at some places are taken away. **Raises** `Unsupported`.

    The axes that are left are numbered anew: of a vector made of NHWC or NCHW, what were channels are axis 1.
    """
    left = [axis for place, axis in enumerate(axes) if place not in gone]
    numbers = sorted(left)
    found = Axes(numbers.index(axis) for axis in left)
    # A row that becomes a signal again keeps its layout; of what is no image, frameworks know one order only.
    is_signal = CHANNELS in left and lifter.is_image(len(left))
    if not found.in_order and not is_signal:
        raise Unsupported("what it leaves of the image has its axes in another order")
    return found


RULES: dict[str, Rule] = {op: partial(_reduce, kind=kind) for op, kind in KINDS.items()}
