"""Pooling and borders."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.layers import layout
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.rules.signals import row_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import BATCH, CHANNELS
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Value

_OTHER = "it pools over something else than rows and columns of stated number"


def _pool(lifter: Lifter, node: Node, kind: str) -> Value:
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    window, stride = _window(lifter, node)
    padding = attribute(node, "padding", "VALID").lower()
    if not window or not stride or padding not in ("same", "valid"):
        raise Unsupported(_OTHER)
    # TensorFlow's windows may go over channels, too, those of other frameworks may not.
    if axes.entry(window, BATCH) != 1 or axes.entry(window, CHANNELS) != 1:
        raise Unsupported(_OTHER)
    shapes = {axes.spatial(shape) for shape in lifter.observed.shapes[node.inputs[0]]}
    if padding == "valid" and shapes == {axes.spatial(window)} and row_of(lifter, x) is None:
        # A window over the whole image, whose size the graph fixes, is written so as not to fix it.
        fields = {"axes": axes.space, "keep": True, "rank": len(axes)}
        return lifter.add(node, kind.removesuffix("_pool"), (x,), fields)
    fields = {"window": axes.spatial(window), "stride": axes.spatial(stride), "padding": padding}
    if (row := row_of(lifter, x)) is not None:
        return row.again(lifter, lifter.add(node, kind, (row.signal,), row.along(fields)))
    return lifter.add(node, kind, (x,), fields)


def _window(lifter: Lifter, node: Node) -> tuple[Sizes | None, Sizes | None]:
    """Return window and stride, which the second version of an operation reads as inputs."""
    if node.op == "MaxPoolV2":
        _, window, stride = node.inputs
        return lifter.fixed(window), lifter.fixed(stride)
    return attribute(node, "ksize", ()), attribute(node, "strides", ())


def _pad(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    numbers = lifter.fixed(node.inputs[1])
    if numbers is None:
        raise Unsupported("the graph does not say how wide the border is")
    borders = x.axes.canonical(x.axes.pairs(numbers))
    mode = attribute(node, "mode", "CONSTANT").lower()
    value = _border_value(lifter, node)
    # The frameworks mirror rows and columns only; constants may be put around everything.
    if mode != "constant" and any(borders[BATCH] + borders[CHANNELS]):
        raise Unsupported("it mirrors batch or channels")
    return lifter.add(node, "pad", (x,), {"borders": borders, "mode": mode, "value": value})


def _border_value(lifter: Lifter, node: Node) -> float:
    if node.op != "PadV2":
        return 0.0
    return shortest(float(lifter.number(node.inputs[2])))


RULES: dict[str, Rule] = {
    "AvgPool": partial(_pool, kind="mean_pool"),
    "AvgPool3D": partial(_pool, kind="mean_pool"),
    "MaxPool": partial(_pool, kind="max_pool"),
    "MaxPoolV2": partial(_pool, kind="max_pool"),
    "MaxPool3D": partial(_pool, kind="max_pool"),
    "Pad": _pad,
    "PadV2": _pad,
    "MirrorPad": _pad,
}
