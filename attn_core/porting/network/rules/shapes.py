"""Axes of one that come and go, and axes in another order."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.reductions import without
from attn_core.porting.network.rules.regrouping import by_shapes, noted
from attn_core.porting.network.rules.signals import EXPAND, expanded, image_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import (
    BATCH,
    CHANNELS,
    LEAST,
    NCHW,
    NHWC,
    VECTOR,
    Axes,
    channels_last,
    unpermuted,
)
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Step, Value


def _squeeze(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    shape = lifter.shape(node.inputs[0])
    ones = tuple(place for place, size in enumerate(shape) if size == 1)
    # Where none are named, TensorFlow takes away all axes of one.
    stated = attribute(node, "squeeze_dims", ()) or ones
    gone = {place % x.rank for place in stated}
    axes = tuple(sorted(x.axes[place] for place in gone))
    before = lifter.steps.get(x.step)
    if before and before.kind == EXPAND and axes == (before.fields["axis"],):
        return _signal(lifter, node, before)
    left = _left(lifter, x, gone)
    if left is None:
        return by_shapes(lifter, node, x)
    # Axes that were only added before go again: the vector itself is read on.
    if before and before.kind == "to_image" and axes == x.axes.space:
        return Value(before.inputs[0], VECTOR)
    if not axes:
        return x
    return lifter.add(node, "squeeze", (x,), {"axes": axes, "rank": x.rank}, left)


def _left(lifter: Lifter, x: Value, gone: set[int]) -> Axes | None:
    """Return the axes that are left where some go; None if that leaves no layout that frameworks know."""
    try:
        return without(lifter, x.axes, gone)
    except Unsupported:
        return None


def _signal(lifter: Lifter, node: Node, row: Step) -> Value:
    """Take the axis away again that a signal was given."""
    axes = row.fields["of"]
    (name,) = row.inputs
    layer = lifter.steps.get(name)
    # The layer of the signal takes the name of the node that has its result as a signal.
    is_layer = layer is not None and row.name == f"{layer.name}:row"
    return lifter.changed(node, layer, axes) if layer and is_layer else Value(name, axes)


def _expand(lifter: Lifter, node: Node) -> Value:
    """Lift `ExpandDims` of a vector to an image, one axis after the other, or of a signal."""
    x = lifter.input(node)
    stated = lifter.fixed(node.inputs[1])
    if stated is None:
        raise Unsupported("the graph does not say which axis it adds")
    # A negative axis counts from the end of the result, which has one more.
    place = stated[0] % (x.rank + 1)
    return _with_axis(lifter, node, x, place)


def _with_axis(lifter: Lifter, node: Node, x: Value, place: int) -> Value:
    """Add an axis of one; a vector with two of them is an image of one pixel, with one a signal of one place."""
    if x.rank == len(VECTOR):
        if lifter.rank == LEAST and place > 0:
            axes = channels_last(LEAST) if place == 1 else unpermuted(LEAST)
            return lifter.add(node, "to_image", (x,), {"rank": LEAST}, axes)
        return noted(lifter, by_shapes(lifter, node, x), added=place)
    before = lifter.steps.get(x.step)
    if lifter.rank == x.rank == LEAST and 0 < place < LEAST:
        return image_of(lifter, node, x, place)
    if lifter.rank == len(NHWC) and x.axes == unpermuted(LEAST) and place == x.rank:
        return expanded(lifter, node.name, x, CHANNELS, NHWC, for_one_layer=False)
    if x.rank != 3 or before is None or "added" not in before.fields:
        return by_shapes(lifter, node, x)
    vector = Value(before.inputs[0], VECTOR)
    axes = _layout_of_pixel(before.fields["added"], place)
    return lifter.add(node, "to_image", (vector,), {"rank": len(axes)}, axes)


def _layout_of_pixel(first: int, second: int) -> Axes:
    """Return the axes of a vector to which two were added; the second place counts the first axis, too."""
    before_channels = first <= 1 and second <= 1
    if before_channels or (first, second) == (1, 2):
        return NHWC
    if first == 2 and second in (2, 3):
        return NCHW
    raise Unsupported("it adds axes in an order that makes no image")


def _transpose(lifter: Lifter, node: Node) -> Value:
    """Lift a transposition: here only the meaning of the graph's axes changes."""
    x = lifter.input(node)
    order = lifter.fixed(node.inputs[1])
    if order is None:
        raise Unsupported("the graph does not say how")
    axes = Axes(x.axes[place] for place in order)
    if axes == x.axes:
        return x
    if axes[BATCH] != BATCH:
        raise Unsupported(f"it puts the axes into the order {list(order)}, which has images elsewhere than first")
    # What is no image has its axes in the order of the graph.
    return Value(x.step, axes) if lifter.is_image(x.rank) else lifter.add(node, "permute", (x,), {"axes": order})


RULES: dict[str, Rule] = {
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "Transpose": _transpose,
}
