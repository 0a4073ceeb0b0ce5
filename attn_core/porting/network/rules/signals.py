"""Signals, of which TensorFlow 1 makes images of one row, or one column, for every single layer.

`tf.nn.conv1d` is `ExpandDims`, `Conv2D` with a kernel of one row, and `Squeeze`; pools of signals likewise. Here such a
layer is one of signals: what was expanded is read by it, and its result is expanded in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from attn_core.porting.graph.graph import Graph, Node
from attn_core.porting.network.steps.axes import HEIGHT, WIDTH, Axes
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value
from attn_core.porting.network.steps.weights import then

EXPAND = "expand"
_WINDOWS = ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MaxPool", "MaxPoolV2", "AvgPool")
_BETWEEN = (*_WINDOWS, "BiasAdd")  # what may stand between the two operations that make a row and take it away
_PER_AXIS = ("kernel", "window", "stride", "dilation", "padding", "crop")


class Row(NamedTuple):
    """An image of one row that is a signal for the layer at hand.

    Fields:
        signal: the signal.
        axis: the canonical axis of the image that the signal has not.
        axes: what the axes of the image are in the graph.
    """

    signal: Value
    axis: int
    axes: Axes

    def along(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said of a window without the entry of the axis that is no more."""
        found = dict(fields)
        for name in _PER_AXIS:
            if isinstance(entries := fields.get(name), tuple):
                found[name] = tuple(entry for axis, entry in enumerate(entries, HEIGHT) if axis != self.axis)
        return found

    def kernel(self, weight: Leaf) -> Leaf:
        """Return a kernel of one row as one of signals."""

        def squeezed(array: Array) -> Array:
            return array.squeeze(self.axis)

        if weight.value is not None:
            return replace(weight, value=squeezed(weight.value))
        return replace(weight, turn=then(weight.turn, squeezed))

    def again(self, lifter: Lifter, signal: Value) -> Value:
        """Make a row of a layer's result."""
        return expanded(lifter, f"{signal.step}:row", signal, self.axis, self.axes)


def row_of(lifter: Lifter, x: Value) -> Row | None:
    """Return the row that an image is for one layer only; None if it is an image."""
    step = lifter.steps.get(x.step)
    if step is None or step.kind != EXPAND or not step.fields["for_one_layer"]:
        return None
    return Row(Value(step.inputs[0], step.fields["of"]), step.fields["axis"], x.axes)


def expanded(lifter: Lifter, name: str, signal: Value, axis: int, axes: Axes, for_one_layer: bool = True) -> Value:
    """Add a step that gives a signal one more axis in space."""
    fields = {"axis": axis, "of": signal.axes, "for_one_layer": for_one_layer}
    lifter.steps[name] = Step(name, EXPAND, (signal.step,), fields, path=name)
    return Value(name, axes)


def image_of(lifter: Lifter, node: Node, signal: Value, place: int) -> Value:
    """Lift what adds an axis of one to a signal, at a place in the graph's array."""
    length = signal.axes.index(HEIGHT)
    # The new axis is that of rows where it comes before the signal's length, else that of columns.
    axis, moved = (HEIGHT, WIDTH) if place <= length else (WIDTH, HEIGHT)
    others = [moved if each == HEIGHT else each for each in signal.axes]
    axes = Axes([*others[:place], axis, *others[place:]])
    return expanded(lifter, node.name, signal, axis, axes, _goes_again(lifter.graph, node))


def _goes_again(graph: Graph, node: Node) -> bool:
    """Whether the axis that a node adds is taken away behind the next layer."""
    while True:
        readers = [reader for reader in graph.consumers.get(node.name, ()) if reader.op != "Shape"]
        if len(readers) != 1:
            return False
        node = readers[0]
        if node.op == "Squeeze":
            return True
        if node.op not in _BETWEEN:
            return False
