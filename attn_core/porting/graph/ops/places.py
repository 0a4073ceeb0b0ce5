"""Moving pixels between space, batch and channels, and resizing images."""

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, channels_first, flag, integer, vector


def _space_to_batch(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, blocks, widths = inputs[0], vector(inputs[1]), inputs[2]
    count = len(blocks)
    rest = [(0, 0)] * (x.ndim - 1 - count)
    x = np.pad(x, [(0, 0), *((int(before), int(after)) for before, after in widths), *rest])
    split = [part for size, block in zip(x.shape[1:], blocks, strict=False) for part in _parts(size, block)]
    x = x.reshape(x.shape[0], *split, *x.shape[1 + count :])
    x = np.moveaxis(x, range(2, 2 * count + 1, 2), range(count))
    return x.reshape(-1, *x.shape[count + 1 :])


def _parts(size: int, block: int) -> tuple[int, int]:
    if block < 1 or size % block:
        raise ValueError(f"{size} pixels do not fall into blocks of {block}")
    return size // block, block


def _batch_to_space(_: Node, inputs: tuple[Array, ...]) -> Array:
    x, blocks, crops = inputs[0], vector(inputs[1]), inputs[2]
    count = len(blocks)
    shape = x.shape[1:]
    x = x.reshape(*blocks, -1, *shape)
    x = np.moveaxis(x, range(count), range(2, 2 * count + 1, 2))
    sizes = [size * block for size, block in zip(shape, blocks, strict=False)]
    x = x.reshape(x.shape[0], *sizes, *shape[count:])
    ends = zip(crops, sizes, strict=True)
    return x[(slice(None), *(slice(int(before), size - int(after)) for (before, after), size in ends))]


def _space_to_depth(node: Node, inputs: tuple[Array, ...]) -> Array:
    x, block = _channels_last(node, inputs[0]), integer(node, "block_size")
    batch, height, width, channels = x.shape
    x = x.reshape(batch, *_parts(height, block), *_parts(width, block), channels).swapaxes(2, 3)
    return _restored(node, x.reshape(*x.shape[:3], -1))


def _depth_to_space(node: Node, inputs: tuple[Array, ...]) -> Array:
    x, block = _channels_last(node, inputs[0]), integer(node, "block_size")
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, block, block, -1).swapaxes(2, 3)
    return _restored(node, x.reshape(batch, height * block, width * block, channels // block**2))


def _channels_last(node: Node, x: Array) -> Array:
    return np.moveaxis(x, 1, -1) if channels_first(node) else x


def _restored(node: Node, x: Array) -> Array:
    return np.moveaxis(x, -1, 1) if channels_first(node) else x


def _coordinates(node: Node, size: int, wanted: int, precision: type) -> Array:
    """Return where each new pixel lies among the old ones."""
    ends = flag(node, "align_corners") and wanted > 1
    step = precision(size - ends) / precision(wanted - ends)
    half = precision(0.5 if flag(node, "half_pixel_centers") else 0)
    return np.asarray((np.arange(wanted, dtype=precision) + half) * step)


def _bilinear(node: Node, inputs: tuple[Array, ...]) -> Array:
    x, size = inputs
    x = x.astype(np.result_type(x, np.float32))
    for axis, wanted in zip((1, 2), vector(size), strict=True):
        where = _coordinates(node, x.shape[axis], wanted, np.float64) - (flag(node, "half_pixel_centers") and 0.5)
        below = np.floor(where)
        part = (where - below).astype(x.real.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        low, high = (np.clip(below + i, 0, x.shape[axis] - 1).astype(np.int64) for i in (0, 1))
        first = x.take(low, axis)
        x = first + (x.take(high, axis) - first) * part
    return x


def _nearest(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Take the nearest pixel; in float32, in which TensorFlow decides which of two is nearer."""
    x, size = inputs
    for axis, wanted in zip((1, 2), vector(size), strict=True):
        where = _coordinates(node, x.shape[axis], wanted, np.float32)
        aligned = flag(node, "align_corners")
        at = np.floor(where + np.float32(0.5)) if aligned else np.floor(where)
        x = x.take(np.clip(at, 0, x.shape[axis] - 1).astype(np.int64), axis)
    return x


OPS: dict[str, Operation] = {
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
    "SpaceToDepth": _space_to_depth,
    "DepthToSpace": _depth_to_space,
    "ResizeBilinear": _bilinear,
    "ResizeNearestNeighbor": _nearest,
}
