"""Convolutions."""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.signals import row_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import CHANNELS, MOST, NHWC, Axes, channels_last, unpermuted
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value


def layout(node: Node) -> Axes:
    """Return the axes of a node's image, or volume."""
    rank = MOST if "3D" in node.op else len(NHWC)
    channels_first = attribute(node, "data_format", "NHWC").startswith("NC")
    return unpermuted(rank) if channels_first else channels_last(rank)


def convolution(lifter: Lifter, node: Node) -> Value:
    """Lift `Conv2D` and `Conv3D`: kernel (*space, in, out)."""
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    *lengths, inputs, outputs = _kernel_shape(lifter, node.inputs[1])
    channels = axes.entry(lifter.shape(node.inputs[0]), CHANNELS) or inputs
    fields = {
        **_window(node, axes),
        "inputs": channels,
        "outputs": outputs,
        "kernel": tuple(lengths),
        # No attribute tells the groups: the kernel takes a share of the image's channels.
        "groups": channels // inputs,
        "bias": False,
    }
    return _add(lifter, node, "conv", x, fields, lifter.leaf(node.inputs[1], kernel))


def kernel(array: Array) -> Array:
    """Return the canonical kernel: (out, in, *space); of a transposed convolution, (in, out, *space)."""
    *places, inputs, outputs = range(array.ndim)
    return array.transpose(outputs, inputs, *places)


def depthwise(lifter: Lifter, node: Node) -> Value:
    """Lift `DepthwiseConv2dNative`: kernel (height, width, in, multiplier)."""
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    *lengths, inputs, multiplier = _kernel_shape(lifter, node.inputs[1])
    fields = {
        **_window(node, axes),
        "inputs": inputs,
        "outputs": inputs * multiplier,
        "kernel": tuple(lengths),
        "groups": inputs,
        "bias": False,
    }
    return _add(lifter, node, "depthwise", x, fields, lifter.leaf(node.inputs[1], _depthwise_kernel))


def _depthwise_kernel(array: Array) -> Array:
    """Put the results of one channel after the other, as TensorFlow numbers them and a grouped convolution does."""
    *lengths, _, _ = array.shape
    *places, inputs, multiplier = range(array.ndim)
    return array.transpose(inputs, multiplier, *places).reshape(-1, 1, *lengths)


def _kernel_shape(lifter: Lifter, ref: Ref) -> Sizes:
    if lifter.is_data(ref):
        raise Unsupported("its kernel is computed from the image")
    return lifter.constant_shape(ref)


def _window(node: Node, axes: Axes) -> dict[str, Any]:
    ones = (1,) * len(axes)
    strides = attribute(node, "strides", ones)
    dilations = attribute(node, "dilations", ones)
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
    path = path_of(weight, node)
    if (row := row_of(lifter, x)) is not None:
        weight = row.kernel(weight)
        of_signal = lifter.add(node, kind, (row.signal,), row.along(fields), None, {"weight": weight}, path)
        return row.again(lifter, of_signal)
    return lifter.add(node, kind, (x,), fields, x.axes, {"weight": weight}, path)


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
    "Conv3D": convolution,
    "DepthwiseConv2dNative": depthwise,
}
