"""Axes of one that come and go, and axes in another order."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.reductions import without
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import NCHW, NHWC, SPACE, VECTOR, Axes, unpermuted
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value


def _squeeze(lifter: Lifter, node: Node) -> Value:
    x = lifter.input(node)
    shape = lifter.shape(node.inputs[0])
    ones = tuple(place for place, size in enumerate(shape) if size == 1)
    # Where none are named, TensorFlow takes away all axes of one.
    stated = attribute(node, "squeeze_dims", ()) or ones
    gone = {place % x.rank for place in stated}
    left = without(x.axes, gone)
    axes = tuple(sorted(x.axes[place] for place in gone))
    # Axes that were only added before go again: the vector itself is read on.
    pixel = lifter.steps.get(x.step)
    if pixel and pixel.kind == "to_image" and axes == SPACE:
        return Value(pixel.inputs[0], VECTOR)
    if not axes:
        return x
    return lifter.add(node, "squeeze", (x,), {"axes": axes, "rank": x.rank}, left)


def _expand(lifter: Lifter, node: Node) -> Value:
    """Lift `ExpandDims` of a vector to an image, one axis after the other."""
    x = lifter.input(node)
    stated = lifter.fixed(node.inputs[1])
    if stated is None:
        raise Unsupported("the graph does not say which axis it adds")
    # A negative axis counts from the end of the result, which has one more.
    place = stated[0] % (x.rank + 1)
    return _with_axis(lifter, node, x, place)


def _with_axis(lifter: Lifter, node: Node, x: Value, place: int) -> Value:
    """Add an axis of one; a vector with two of them is an image of one pixel."""
    if x.rank == len(VECTOR):
        return lifter.add(node, "added", (x,), {"places": (place,)}, unpermuted(x.rank + 1))
    before = lifter.steps.get(x.step)
    if x.rank != 3 or before is None or before.kind != "added":
        raise Unsupported(f"it adds an axis to a value of {x.rank} axes")
    (first,) = before.fields["places"]
    vector = Value(before.inputs[0], VECTOR)
    return lifter.add(node, "to_image", (vector,), None, _layout_of_pixel(first, place))


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
    # In the middle of a channel shuffle: groups and channels within a group change places.
    if order == (0, 1, 2, 4, 3) and lifter.step_of(x, "groups"):
        return lifter.add(node, "turned", (x,))
    axes = Axes(x.axes[place] for place in order)
    if axes == x.axes:
        return x
    if x.rank != len(NHWC) or axes not in (NHWC, NCHW):
        raise Unsupported(f"it puts the axes into the order {list(order)}, which is no layout of an image")
    return Value(x.step, axes)


RULES: dict[str, Rule] = {
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "Transpose": _transpose,
}
