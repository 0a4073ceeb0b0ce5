"""Convolutions."""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import CHANNELS, NCHW, NHWC, Axes
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value


def layout(node: Node) -> Axes:
    """Return the axes of a node's image."""
    return NCHW if attribute(node, "data_format", "NHWC") == "NCHW" else NHWC


def convolution(lifter: Lifter, node: Node) -> Value:
    """Lift `Conv2D`: kernel (height, width, in, out)."""
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    height, width, inputs, outputs = _kernel_shape(lifter, node.inputs[1])
    channels = axes.entry(lifter.shape(node.inputs[0]), CHANNELS) or inputs
    fields = {
        **_window(node, axes),
        "inputs": channels,
        "outputs": outputs,
        "kernel": (height, width),
        # No attribute tells the groups: the kernel takes a share of the image's channels.
        "groups": channels // inputs,
        "bias": False,
    }
    weight = lifter.leaf(node.inputs[1], _kernel)
    return _add(lifter, node, "conv", x, fields, weight)


def _kernel(array: Array) -> Array:
    return array.transpose(3, 2, 0, 1)


def depthwise(lifter: Lifter, node: Node) -> Value:
    """Lift `DepthwiseConv2dNative`: kernel (height, width, in, multiplier)."""
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    height, width, inputs, multiplier = _kernel_shape(lifter, node.inputs[1])
    fields = {
        **_window(node, axes),
        "inputs": inputs,
        "outputs": inputs * multiplier,
        "kernel": (height, width),
        "groups": inputs,
        "bias": False,
    }
    weight = lifter.leaf(node.inputs[1], _depthwise_kernel)
    return _add(lifter, node, "depthwise", x, fields, weight)


def _depthwise_kernel(array: Array) -> Array:
    """Put the results of one channel after the other, as TensorFlow numbers them and a grouped convolution does."""
    height, width, *_ = array.shape
    return array.transpose(2, 3, 0, 1).reshape(-1, 1, height, width)


def _kernel_shape(lifter: Lifter, ref: Ref) -> tuple[int, int, int, int]:
    if lifter.is_data(ref):
        raise Unsupported("its kernel is computed from the image")
    height, width, inputs, outputs = lifter.constant_shape(ref)
    return height, width, inputs, outputs


def _window(node: Node, axes: Axes) -> dict[str, Any]:
    strides = attribute(node, "strides", (1, 1, 1, 1))
    dilations = attribute(node, "dilations", (1, 1, 1, 1))
    padding = _padding(node, axes)
    return {"stride": axes.spatial(strides), "dilation": axes.spatial(dilations), "padding": padding}


def _padding(node: Node, axes: Axes) -> Any:
    """Return a padding by name, or what is put before and after rows and columns."""
    kind = attribute(node, "padding", "VALID").lower()
    if kind in ("same", "valid"):
        return kind
    if kind != "explicit":
        raise Unsupported("its padding is unknown")
    borders = attribute(node, "explicit_paddings", ())
    return axes.spatial(axes.pairs(borders))


def _add(lifter: Lifter, node: Node, kind: str, x: Value, fields: dict[str, Any], weight: Leaf) -> Value:
    """Add a convolution; zeros that were put around its image become its padding.

    Programs that pad by hand (slim's `conv2d_same`) do so to have another padding than TensorFlow's SAME.
    """
    pad = lifter.step_of(x, "pad")
    if pad is not None and fields["padding"] == "valid" and _is_zeros_in_space(pad):
        x = Value(pad.inputs[0], x.axes)
        _, _, *in_space = pad.fields["borders"]
        fields["padding"] = tuple(in_space)
    return lifter.add(node, kind, (x,), fields, x.axes, {"weight": weight}, path_of(weight, node))


def _is_zeros_in_space(pad: Step) -> bool:
    """Whether a border is of zeros, and not around batch or channels."""
    fields = pad.fields
    if fields["mode"] != "constant" or fields["value"] != 0:
        return False
    batch, channels, *_ = fields["borders"]
    return not any(batch + channels)


def path_of(weight: Leaf, node: Node) -> str:
    """Return the scope of a layer; the two of a separable convolution have one together, and a part of it each."""
    if not weight.names:
        return scope(node.name)
    # `depthwise_weights` and `pointwise_weights` of slim, `depthwise_kernel` and `pointwise_kernel` of `tf.layers`.
    name = weight.names[0]
    around = scope(name)
    variable = name.rpartition("/")[2]
    for half in ("depthwise", "pointwise"):
        if variable.startswith(f"{half}_") and not around.endswith(half):
            return f"{around}/{half}"
    return around


def scope(name: str) -> str:
    """Return the scope of a variable or node, or its name where it has none."""
    return name.rpartition("/")[0] or name


RULES: dict[str, Rule] = {
    "Conv2D": convolution,
    "DepthwiseConv2dNative": depthwise,
}
