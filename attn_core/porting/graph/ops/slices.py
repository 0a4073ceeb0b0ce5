"""Parts of arrays, and arrays of parts."""

from types import EllipsisType

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, dtype, integer, scalar, vector


def _concat(_: Node, inputs: tuple[Array, ...]) -> Array:
    axis, *arrays = inputs
    return np.concatenate(arrays, scalar(axis))


def _concat_v2(_: Node, inputs: tuple[Array, ...]) -> Array:
    *arrays, axis = inputs
    return np.concatenate(arrays, scalar(axis))


def _split(node: Node, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    axis, x = inputs
    return tuple(np.split(x, integer(node, "num_split"), scalar(axis)))


def _split_v(_: Node, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """Split into given sizes, of which one may be -1: what is left."""
    x, sizes, axis = inputs
    lengths, whole = np.array(vector(sizes)), x.shape[scalar(axis)]
    lengths[lengths == -1] = whole - lengths[lengths != -1].sum()
    if lengths.sum() != whole or (lengths < 0).any():
        raise ValueError(f"sizes {vector(sizes)} do not add up to {whole}")
    return tuple(np.split(x, np.cumsum(lengths)[:-1], scalar(axis)))


def _pack(node: Node, inputs: tuple[Array, ...]) -> Array:
    return np.stack(inputs, integer(node, "axis"))


def _unpack(node: Node, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(np.moveaxis(inputs[0], integer(node, "axis"), 0))


def _slice(_: Node, inputs: tuple[Array, ...]) -> Array:
    """Cut out a box; a size of -1 is all that is left."""
    x, begin, size = inputs
    starts = vector(begin)
    ends = [n if s == -1 else b + s for n, b, s in zip(x.shape, starts, vector(size), strict=True)]
    if any(not 0 <= b <= e <= n for n, b, e in zip(x.shape, starts, ends, strict=True)):
        raise ValueError(f"a slice from {starts} of sizes {vector(size)} does not lie inside")
    return x[tuple(slice(b, e) for b, e in zip(starts, ends, strict=True))]


def _strided_slice(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Index as Python does; each bit of a mask speaks of one entry of the index."""
    x, *numbers = inputs
    entries = zip(*(vector(each) for each in numbers), strict=True)
    return x[tuple(_entry(node, i, *each) for i, each in enumerate(entries))]


def _entry(node: Node, place: int, begin: int, end: int, step: int) -> slice | int | EllipsisType | None:
    def masked(name: str) -> bool:
        return bool(integer(node, f"{name}_mask") >> place & 1)

    if masked("ellipsis"):
        return ...
    if masked("new_axis"):
        return None
    if masked("shrink_axis"):
        return begin
    return slice(None if masked("begin") else begin, None if masked("end") else end, step)


def _gather(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, places = inputs
    return _taken(x, places, 0, 0)


def _gather_v2(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Take entries along an axis; the first axes may be those of the indices, too."""
    x, places, given = inputs
    axis, shared = scalar(given), integer(node, "batch_dims")
    return _taken(x, places, axis + x.ndim if axis < 0 else axis, shared + places.ndim if shared < 0 else shared)


def _taken(x: Array, places: Array, axis: int, shared: int) -> Array:
    if places.size and places.min() < 0:
        raise ValueError("an index is negative")
    if x.shape[:shared] != places.shape[:shared]:
        raise ValueError(f"the first {shared} axes differ")
    rows = zip(x.reshape(-1, *x.shape[shared:]), places.reshape(-1, *places.shape[shared:]), strict=True)
    taken = [np.take(row, where, axis - shared) for row, where in rows]
    return np.stack(taken).reshape(*x.shape[:shared], *taken[0].shape)


def _reverse(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, axes = inputs
    return np.flip(x, vector(axes))


def _where(_: Node, inputs: tuple[Array, ...]) -> Array:
    return np.argwhere(inputs[0].real).astype(np.int64)


def _difference(node: Node, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
    """Return what of the first list is not in the second, and where it stands."""
    first, second = inputs
    (places,) = np.nonzero(~np.isin(first, second))
    return first[places], places.astype(dtype(node, "out_idx", "int32"))


OPS: dict[str, Operation] = {
    "Concat": _concat,
    "ConcatV2": _concat_v2,
    "Split": _split,
    "SplitV": _split_v,
    "Pack": _pack,
    "Unpack": _unpack,
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Gather": _gather,
    "GatherV2": _gather_v2,
    "ReverseV2": _reverse,
    "Where": _where,
    "ListDiff": _difference,
}
