"""The shapes of arrays: asking for them, changing them, making arrays of them."""

import math

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, dtype, integers, scalar, text, vector


def _shape(node: Node, inputs: tuple[Array, ...]) -> Array:
    return np.array(inputs[0].shape, dtype(node, "out_type", "int32"))


def _shape_n(node: Node, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(np.array(x.shape, dtype(node, "out_type", "int32")) for x in inputs)


def _size(node: Node, inputs: tuple[Array, ...]) -> Array:
    return np.array(inputs[0].size, dtype(node, "out_type", "int32"))


def _rank(_: Node, inputs: tuple[Array, ...]) -> Array:
    return np.array(inputs[0].ndim, np.int32)


def _reshape(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, shape = inputs
    return x.reshape(vector(shape))


def _squeeze(node: Node, inputs: tuple[Array, ...]) -> Array:
    (x,) = inputs
    return np.squeeze(x, integers(node, "squeeze_dims") or None)


def _expand_dims(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, axis = inputs
    return np.expand_dims(x, scalar(axis))


def _transpose(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, order = inputs
    return x.transpose(vector(order))


def _pad(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Add a border: zeros, the third input, or in MirrorPad the image itself."""
    x, widths, *value = inputs
    if widths.shape != (x.ndim, 2):
        raise ValueError(f"borders of shape {list(widths.shape)} do not fit {x.ndim} axes")
    pairs = [(int(before), int(after)) for before, after in widths]
    if node.op != "MirrorPad":
        return np.pad(x, pairs, constant_values=value[0] if value else 0)
    mode = text(node, "mode")
    room = [size - (mode == "REFLECT") for size in x.shape]
    if any(max(pair) > most for pair, most in zip(pairs, room, strict=True)):
        raise ValueError(f"borders of {pairs} are wider than the array they mirror")
    return np.pad(x, pairs, "reflect" if mode == "REFLECT" else "symmetric")


def _tile(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, times = inputs
    if times.shape != (x.ndim,):
        raise ValueError(f"{times.size} repetitions do not fit {x.ndim} axes")
    return np.tile(x, vector(times))


def _range(_: Node, inputs: tuple[Array, ...]) -> Array:
    start, limit, step = (each.real for each in inputs)
    count = max(math.ceil((limit - start) / step), 0)
    return np.asarray(start + step * np.arange(count, dtype=start.dtype))


def _fill(_: Node, inputs: tuple[Array, ...]) -> Array:
    shape, value = inputs
    return np.full(vector(shape), value)


def _broadcast_to(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, shape = inputs
    return np.broadcast_to(x, vector(shape))


OPS: dict[str, Operation] = {
    "Shape": _shape,
    "ShapeN": _shape_n,
    "Size": _size,
    "Rank": _rank,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "ExpandDims": _expand_dims,
    "Transpose": _transpose,
    "Pad": _pad,
    "PadV2": _pad,
    "MirrorPad": _pad,
    "Tile": _tile,
    "Range": _range,
    "Fill": _fill,
    "BroadcastTo": _broadcast_to,
    "ZerosLike": lambda _, inputs: np.zeros_like(inputs[0]),
    "OnesLike": lambda _, inputs: np.ones_like(inputs[0]),
}
