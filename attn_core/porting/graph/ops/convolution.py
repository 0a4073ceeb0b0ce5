"""Convolutions over any number of spatial axes, and the bias."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Lengths, Operation, channels_first, integers, product
from attn_core.porting.graph.ops.windows import padded, places, sides, views

_MOST = 1 << 23  # numbers of the matrix of windows, beyond which images are taken one after the other


def _convolution(node: Node, inputs: tuple[Array, ...]) -> Array:
    image, kernel = inputs
    x, strides, dilations = _prepared(node, image, kernel)
    groups, rest = divmod(x.shape[-1], kernel.shape[-2])
    if rest or not groups or kernel.shape[-1] % groups:
        raise _unfit(x, kernel)
    pieces = zip(np.split(x, groups, -1), np.split(kernel, groups, -1), strict=True)
    maps = [_by_batches(part, weights, strides, dilations) for part, weights in pieces]
    return _restored(node, maps[0] if groups == 1 else np.concatenate(maps, -1))


def _depthwise(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Convolve each channel with kernels of its own."""
    image, kernel = inputs
    x, strides, dilations = _prepared(node, image, kernel)
    if x.shape[-1] != kernel.shape[-2]:
        raise _unfit(x, kernel)
    total: Array | None = None
    for at, view in views(x, (1, *kernel.shape[:-2]), (1, *strides), (1, *dilations)):
        part = view[..., None] * kernel[at[1:]]
        total = part if total is None else np.add(total, part, out=total)
    if total is None:
        raise _unfit(x, kernel)
    return _restored(node, total.reshape(*total.shape[:-2], -1))


def _unfit(x: Array, kernel: Array) -> ValueError:
    return ValueError(f"a kernel of shape {list(kernel.shape)} does not fit {x.shape[-1]} channels")


def _prepared(node: Node, image: Array, kernel: Array) -> tuple[Array, Lengths, Lengths]:
    """Return the padded image with channels last, the strides and the dilations."""
    first = channels_first(node)
    space = slice(2, None) if first else slice(1, -1)
    strides = integers(node, "strides")[space]
    dilations = integers(node, "dilations")[space] or (1,) * len(strides)
    lengths = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:-2], dilations, strict=True)]
    around = sides(node, image.shape[space], lengths, strides, space)
    x = np.moveaxis(image, 1, -1) if first else image
    return padded(x, [(0, 0), *around, (0, 0)]), strides, dilations


def _restored(node: Node, x: Array) -> Array:
    return np.moveaxis(x, -1, 1) if channels_first(node) else x


def _by_batches(x: Array, kernel: Array, strides: Lengths, dilations: Lengths) -> Array:
    count = min(len(x), 1 + x.size * kernel.shape[-3] // _MOST)
    if count < 2:
        return _dense(x, kernel, strides, dilations)
    return np.concatenate([_dense(part, kernel, strides, dilations) for part in np.array_split(x, count)])


def _dense(x: Array, kernel: Array, strides: Lengths, dilations: Lengths) -> Array:
    """Convolve without a border: one matrix product for each row of the kernel, so that no large matrix is made."""
    *lengths, columns, _, channels = kernel.shape
    span = (columns - 1) * dilations[-1] + 1
    (width,) = places(x.shape[-2:-1], [span], strides[-1:])
    total: Array | None = None
    for at, view in views(x, (1, *lengths), (1, *strides[:-1]), (1, *dilations[:-1])):
        windows = sliding_window_view(view, span, -2)[..., :: strides[-1], :, :: dilations[-1]]
        rows = windows.swapaxes(-1, -2).reshape(-1, columns * x.shape[-1])
        part = product(rows, kernel[at[1:]].reshape(-1, channels))
        shape = (*view.shape[:-2], width, channels)
        total = part if total is None else np.add(total, part, out=total)
    if total is None:
        raise _unfit(x, kernel)
    return total.reshape(shape)


def _bias_add(node: Node, inputs: tuple[Array, ...]) -> Array:
    x, bias = inputs
    axis = 1 if channels_first(node) else x.ndim - 1
    if bias.shape != x.shape[axis : axis + 1]:
        raise ValueError(f"a bias of shape {list(bias.shape)} does not fit axis {axis}")
    return np.asarray(x + bias.reshape(-1, *(1,) * (x.ndim - 1 - axis)))


OPS: dict[str, Operation] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "BiasAdd": _bias_add,
}
