"""Convolutions and dense layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import NCHW, NHWC, Array, Leaf, Step, Value
from attn_core.porting.network.steps.trace import attribute, fixed

LAYERS = ("conv", "depthwise", "dense")


def layout(node: Node) -> tuple[int, ...]:
    """Return which canonical axis each axis of a node's image is."""
    return NCHW if attribute(node, "data_format", "NHWC") == "NCHW" else NHWC


def in_space(numbers: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, int]:
    """Return the entries of the two spatial axes."""
    return numbers[axes.index(2)], numbers[axes.index(3)]


def convolution(lifter: Lifter, node: Node) -> Value:
    """Lift `Conv2D`: kernel (height, width, in, out)."""
    axes = layout(node)
    x = lifter.laid(lifter.value(node.inputs[0]), axes)
    height, width, inputs, outputs = _sizes(lifter, node.inputs[1])
    channels = lifter.shape(node.inputs[0])[axes.index(1)] or inputs
    fields = _window(lifter, node, axes) | {
        "inputs": channels, "outputs": outputs, "kernel": (height, width), "groups": channels // inputs, "bias": False,
    }  # fmt: skip
    weight = lifter.leaf(node.inputs[1], lambda array: array.transpose(3, 2, 0, 1))
    x, fields = _with_border(lifter, x, fields)
    return lifter.add(node, "conv", (x,), fields, axes, {"weight": weight}, _path(weight, node))


def depthwise(lifter: Lifter, node: Node) -> Value:
    """Lift `DepthwiseConv2dNative`: kernel (height, width, in, multiplier)."""
    axes = layout(node)
    x = lifter.laid(lifter.value(node.inputs[0]), axes)
    height, width, inputs, multiplier = _sizes(lifter, node.inputs[1])
    fields = _window(lifter, node, axes) | {
        "inputs": inputs, "outputs": inputs * multiplier, "kernel": (height, width), "groups": inputs, "bias": False,
    }  # fmt: skip
    weight = lifter.leaf(node.inputs[1], lambda a: a.transpose(2, 3, 0, 1).reshape(-1, 1, *a.shape[:2]))
    x, fields = _with_border(lifter, x, fields)
    return lifter.add(node, "depthwise", (x,), fields, axes, {"weight": weight}, _path(weight, node))


def _sizes(lifter: Lifter, ref: Ref) -> tuple[int, int, int, int]:
    if lifter.is_data(ref):
        raise Unsupported("its kernel is computed from the image")
    height, width, inputs, outputs = lifter.trace.shapes[ref][0]
    return height, width, inputs, outputs


def _window(lifter: Lifter, node: Node, axes: tuple[int, ...]) -> dict[str, Any]:
    strides, dilations = (attribute(node, name, (1, 1, 1, 1)) for name in ("strides", "dilations"))
    padding = attribute(node, "padding", "VALID").lower()
    if padding == "explicit":
        borders = attribute(node, "explicit_paddings", ())
        pairs = tuple((borders[2 * k], borders[2 * k + 1]) for k in range(len(axes)))
        padding = (pairs[axes.index(2)], pairs[axes.index(3)])
    elif padding not in ("same", "valid"):
        raise Unsupported("its padding is unknown")
    return {"stride": in_space(strides, axes), "dilation": in_space(dilations, axes), "padding": padding}


def _with_border(lifter: Lifter, x: Value, fields: dict[str, Any]) -> tuple[Value, dict[str, Any]]:
    """Take zeros that were put around the image into the convolution."""
    pad = lifter.step_of(x, "pad")
    if pad is None or fields["padding"] != "valid" or pad.fields["mode"] != "constant" or pad.fields["value"] != 0:
        return x, fields
    borders = pad.fields["borders"]
    if any(borders[0] + borders[1]):
        return x, fields
    return Value(pad.inputs[0], x.axes), fields | {"padding": borders[2:]}


def _path(leaf: Leaf, node: Node) -> str:
    """Return the scope of a layer; the two of a separable convolution have one together, and a part of it each."""
    if not leaf.names:
        return node.name.rpartition("/")[0] or node.name
    found, last = scope(leaf.names[0]), leaf.names[0].rpartition("/")[2]
    half = next((each for each in ("depthwise", "pointwise") if last.startswith(f"{each}_")), "")
    return f"{found}/{half}" if half and not found.endswith(half) else found


def scope(variable: str) -> str:
    """Return the scope of a variable, or its name where it has none."""
    return variable.rpartition("/")[0] or variable


def matmul(lifter: Lifter, node: Node) -> Value:
    """Lift `MatMul` with weights on the right."""
    x = lifter.value(node.inputs[0])
    if lifter.is_data(node.inputs[1]) or attribute(node, "transpose_a", False) or attribute(node, "adj_x", False):
        raise Unsupported("it multiplies two matrices made of the image, or a transposed one")
    if len(lifter.trace.shapes[node.inputs[1]][0]) != 2:
        raise Unsupported("its weights are no matrix")
    swapped = attribute(node, "transpose_b", False) or attribute(node, "adj_y", False)
    rows, columns = lifter.trace.shapes[node.inputs[1]][0]
    inputs, outputs = (columns, rows) if swapped else (rows, columns)
    order = _flattened(lifter, x)

    def turn(array: Array) -> Array:
        matrix = array if swapped else array.T
        if order is None:
            return matrix
        sizes = [order[1][axis] for axis in order[0]]
        back = [order[0].index(axis) for axis in (1, 2, 3)]
        return matrix.reshape(-1, *sizes).transpose(0, *(1 + k for k in back)).reshape(matrix.shape)

    weight = lifter.leaf(node.inputs[1], turn)
    fields = {
        "inputs": inputs,
        "outputs": outputs,
        "bias": False,
        "image": order and tuple(order[1][k] for k in (1, 2, 3)),
    }
    return lifter.add(node, "dense", (x,), fields, x.axes, {"weight": weight}, _path(weight, node))


def _flattened(lifter: Lifter, x: Value) -> tuple[tuple[int, ...], dict[int, int]] | None:
    """Return the order in which an image was flattened, and the sizes of its axes, if that is what was done.

    The step then flattens in canonical order, since the weights are put into that order.
    """
    step = lifter.steps.get(x.step)
    if step is None or step.kind != "flatten" or lifter.step_of(x, "flatten") is None:
        return None
    sizes = dict(zip(step.fields["axes"], step.fields["sizes"], strict=True))
    lifter.steps[step.name] = replace(step, fields={**step.fields, "free": True})
    return tuple(step.fields["axes"]), sizes


def add_bias(lifter: Lifter, node: Node, x: Value, ref: Ref) -> Value | None:
    """Put a vector of weights into the layer before, if it is one."""
    step = next((found for kind in LAYERS if (found := lifter.step_of(x, kind))), None)
    shape = lifter.trace.shapes[ref][0]
    if step is None or step.fields["bias"] or math.prod(shape) != step.fields["outputs"]:
        return None
    if attribute(node, "data_format", "") == "" and not along_channels(shape, x.axes):
        return None
    bias = lifter.leaf(ref, lambda array: array.reshape(-1))
    return lifter.changed(
        node, step, x.axes, fields={**step.fields, "bias": True}, arrays={**step.arrays, "bias": bias}
    )


def along_channels(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether an array, put against the last axes, lies along the channels."""
    place = axes.index(1) - len(axes)
    return -place <= len(shape) and shape[place] == math.prod(shape)


def grouped(lifter: Lifter, node: Node, pieces: list[Value]) -> Value | None:
    """Turn convolutions of slices, put one after the other, into one convolution with groups."""
    steps = [lifter.step_of(piece, "conv") for piece in pieces]
    if len(pieces) < 2 or any(step is None for step in steps):
        return None
    convs = [step for step in steps if step is not None]
    slices = [lifter.steps.get(conv.inputs[0]) for conv in convs]
    if any(conv.fields != convs[0].fields for conv in convs) or not _in_a_row(slices, len(pieces)):
        return None
    first, source = convs[0], slices[0]
    assert source is not None
    arrays = {
        name: Leaf(tuple(part for conv in convs for part in conv.arrays[name].parts), leaf.turn)
        for name, leaf in first.arrays.items()
    }
    if any(not leaf.parts for conv in convs for leaf in conv.arrays.values()) or first.fields["groups"] != 1:
        return None
    sizes = {name: first.fields[name] * len(pieces) for name in ("inputs", "outputs")}
    lifter.steps[node.name] = Step(
        node.name, "conv", source.inputs, {**first.fields, **sizes, "groups": len(pieces)}, arrays, scope(first.path)
    )
    return Value(node.name, pieces[0].axes)


def _in_a_row(slices: list[Step | None], count: int) -> bool:
    """Whether these are all the parts of one image, in order."""
    found = [step for step in slices if step is not None and step.kind == "slice" and step.fields["axis"] == 1]
    if len(found) != count or len({step.inputs for step in found}) != 1:
        return False
    parts = [_part(step.fields) for step in found]
    ends = [0, *(stop for _, stop, _ in parts)]
    return [start for start, _, _ in parts] == ends[:-1] and parts[-1][2] == ends[-1]


def _part(fields: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return where a slice starts and stops, and of how much."""
    if "part" in fields:
        return fields["part"], fields["part"] + 1, fields["parts"]
    return fields["start"], fields["stop"], fields["size"]


def batch_to_space(lifter: Lifter, node: Node) -> Value:
    """Lift a dilated convolution, which TensorFlow 1 writes as one of a picture taken apart."""
    x = lifter.value(node.inputs[0])
    conv = lifter.step_of(x, "conv") or lifter.step_of(x, "depthwise")
    apart = lifter.steps.get(conv.inputs[0]) if conv else None
    block, crops = (lifter.trace.numbers.get(ref) for ref in node.inputs[1:])
    if conv is None or apart is None or apart.kind != "space_to_batch" or block is None or crops is None:
        raise Unsupported("it puts together what no dilated convolution took apart")
    if conv.fields["padding"] != "valid" or conv.fields["stride"] != (1, 1) or tuple(block[0]) != apart.fields["block"]:
        raise Unsupported("it ends a dilated convolution of an unknown form")
    runs = [tuple((int(p) - int(c)) for p, c in zip(pads.flat, crop.flat, strict=True))
            for pads, crop in zip(apart.fields["borders"], crops, strict=True)]  # fmt: skip
    if len(set(runs)) != 1:
        raise Unsupported("its padding follows the size of the image")
    top, bottom, left, right = runs[0]
    dilation = apart.fields["block"]
    reach = [rate * (length - 1) for rate, length in zip(dilation, conv.fields["kernel"], strict=True)]
    same = [(n // 2, n - n // 2) for n in reach] == [(top, bottom), (left, right)]
    padding: Any = "same" if same else "valid" if not any(runs[0]) else ((top, bottom), (left, right))
    fields = {**conv.fields, "dilation": dilation, "padding": padding}
    return lifter.changed(node, conv, x.axes, fields=fields, inputs=apart.inputs)


def space_to_batch(lifter: Lifter, node: Node) -> Value:
    """Lift the first half of a dilated convolution."""
    x = lifter.laid(lifter.value(node.inputs[0]), NHWC)
    block, borders = fixed(lifter.trace.integers(node.inputs[1])), lifter.trace.numbers.get(node.inputs[2])
    if block is None or len(block) != 2 or borders is None:
        raise Unsupported("it takes apart something else than the rows and columns of an image")
    return lifter.add(node, "space_to_batch", (x,), {"block": block, "borders": borders})


RULES: dict[str, Rule] = {
    "Conv2D": convolution,
    "DepthwiseConv2dNative": depthwise,
    "MatMul": matmul,
    "SpaceToBatchND": space_to_batch,
    "BatchToSpaceND": batch_to_space,
}
