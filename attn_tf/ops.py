"""The primitives in `keras.ops`, for both layouts of images."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from attn_core.interpreters.shapes import ops as shapes
from attn_core.interpreters.shapes import require_image
from attn_core.spec.interpolation import completed
from attn_tf import arrays, interpolation, maxima


class Images:
    """The primitives for images whose channels are the last or the first axis after the batch."""

    def __init__(self, data_format: str) -> None:
        self.channels_last = data_format == "channels_last"

    def channel_axis(self, rank: int) -> int:
        """Return the axis of the channels in an image of this rank, or in a vector."""
        return rank - 1 if self.channels_last else 1

    def space(self, rank: int) -> tuple[int, ...]:
        """Return the spatial axes of an image of this rank."""
        require_image(rank)
        return tuple(axis for axis in range(1, rank) if axis != self.channel_axis(rank))

    def canonical(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Reorder a native shape to (batch, channels, *space)."""
        if not self.channels_last or len(shape) < 3:
            return shape
        return (shape[0], shape[-1], *shape[1:-1])

    def native(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Reorder a shape (batch, channels, *space) to the native one."""
        if not self.channels_last or len(shape) < 3:
            return shape
        return (shape[0], *shape[2:], shape[1])

    def per_channel(self, numbers: Any, rank: int) -> Any:
        """Shape an array (channels,) so that it meets the channels of an image of this rank, or of a vector."""
        return ops.reshape(numbers, (-1, *(1,) * (rank - 1 - self.channel_axis(rank))))

    # ---- from an image to less of it -------------------------------------------------------------------------------

    def global_mean(self, x: Any) -> Any:
        """See `Primitives.global_mean`."""
        return self._mean(x, self.space(len(x.shape)))

    def global_max(self, x: Any) -> Any:
        """See `Primitives.global_max`."""
        arrays.require_numbers(x)
        self.space(len(x.shape))
        return maxima.largest(self.to_tokens(x), 1)[:, 0]

    @arrays.widened
    def global_length(self, x: Any) -> Any:
        """See `Primitives.global_length`."""
        arrays.require_numbers(x)
        return arrays.length(x, self.space(len(x.shape)))

    def channel_mean(self, x: Any) -> Any:
        """See `Primitives.channel_mean`."""
        return self._mean(x, (self.channel_axis(len(x.shape)),), True)

    def channel_max(self, x: Any) -> Any:
        """See `Primitives.channel_max`."""
        arrays.require_numbers(x)
        return maxima.largest(x, self.channel_axis(len(x.shape)))

    @arrays.widened
    def _mean(self, x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
        """Divide the sum by the count: on JAX and torch, the mean of Keras 3.15 rounds float64 to float32."""
        arrays.require_numbers(x)
        return ops.sum(x, axes, keepdims=keepdims) / arrays.count(x, axes)

    def adaptive_mean(self, x: Any, size: tuple[int | None, ...]) -> Any:
        """See `Primitives.adaptive_mean`."""
        arrays.require_numbers(x)
        old, dtype = ops.shape(x), arrays.wide(x)
        bins = {axis: n for axis, n in zip(self.space(len(x.shape)), size, strict=True) if n is not None}
        return self._linear(x, {axis: interpolation.mean_matrix(old[axis], n, dtype) for axis, n in bins.items()})

    @arrays.widened
    def _linear(self, x: Any, matrices: Mapping[int, Any]) -> Any:
        """Apply a matrix (out, in) to each of these axes."""
        for axis, matrix in matrices.items():
            x = ops.moveaxis(ops.tensordot(x, matrix, [[axis], [1]]), -1, axis)
        return x

    @arrays.widened
    def mean_pool(self, x: Any, window: int, stride: int) -> Any:
        """See `Primitives.mean_pool`; sums along each axis, as TensorFlow does not pool every type and layout."""
        arrays.require_numbers(x)
        for axis in self.space(len(x.shape)):
            size = ops.shape(x)[axis]
            margins = [(0, 0)] * len(x.shape)
            margins[axis] = (window // 2, window // 2)
            padded, before = ops.pad(x, margins), (slice(None),) * axis
            x = sum(padded[(*before, slice(i, i + size, stride))] for i in range(window)) / window
        return x

    def max_pool(self, x: Any, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Any:
        """See `Primitives.max_pool`."""
        arrays.require_numbers(x)
        if padding == "symmetric":
            sides = [(n // 2, n // 2) for n in window]
            x = ops.pad(x, self.native(((0, 0), (0, 0), *sides)), constant_values=-math.inf)
        last = self._to_last(x)  # the layout that every backend can pool in
        strides = tuple(stride or length for length in window)
        kept = "same" if padding == "same" else "valid"
        return self._from_last(arrays.max_pool(last, window, strides, kept))

    # ---- from an image to another place ----------------------------------------------------------------------------

    def resize(self, x: Any, like: Any, align_corners: bool = True) -> Any:
        """See `Primitives.resize`."""
        old, new, dtype = ops.shape(x), ops.shape(like), arrays.wide(x)
        matrix = partial(interpolation.resize_matrix, align_corners=align_corners, dtype=dtype)
        return self._linear(x, {axis: matrix(old[axis], new[axis]) for axis in self.space(len(x.shape))})

    def affine_grid(self, theta: Any, size: tuple[int | None, ...], align_corners: bool, like: Any = None) -> Any:
        """See `Primitives.affine_grid`."""
        shapes.affine_grid(tuple(theta.shape), (1,) * len(size), align_corners)  # JAX would take any matrices
        own = size if like is None else [ops.shape(like)[axis] for axis in self.space(len(like.shape))]
        return self._grid(theta, completed(size, own), align_corners)

    @arrays.widened
    def _grid(self, theta: Any, sizes: tuple[Any, ...], align_corners: bool) -> Any:
        """Add up the columns of theta, each times a coordinate that varies along one axis."""
        d = len(sizes)
        columns = ops.reshape(theta, (ops.shape(theta)[0], *(1,) * d, d, d + 1))
        grid = columns[..., d]
        for i, n in enumerate(sizes):
            places = interpolation.coordinates(n, align_corners, arrays.kind(theta))
            grid = grid + ops.reshape(places, (-1, *(1,) * (d - i))) * columns[..., d - 1 - i]
        return grid

    @arrays.widened
    def sample(self, x: Any, grid: Any, padding: str, align_corners: bool) -> Any:
        """See `Primitives.sample`."""
        arrays.require_numbers(x)
        shapes.require_points(tuple(x.shape), tuple(grid.shape))
        sizes = [ops.shape(x)[axis] for axis in self.space(len(x.shape))]
        places = [interpolation.place(grid[..., -1 - i], n, padding, align_corners) for i, n in enumerate(sizes)]
        low = [ops.stop_gradient(ops.floor(place)) for place in places]
        beyond = [place - start for place, start in zip(places, low, strict=True)]
        total: Any = 0
        for corner in itertools.product((0, 1), repeat=len(sizes)):
            at = [start + step for start, step in zip(low, corner, strict=True)]
            shares = (share if step else 1 - share for share, step in zip(beyond, corner, strict=True))
            inside = (ops.cast((i >= 0) & (i < ops.cast(n, i.dtype)), i.dtype) for i, n in zip(at, sizes, strict=True))
            total = total + self._pixels(x, at) * ops.expand_dims(math.prod((*shares, *inside)), -1)
        return self._from_last(total)

    def _pixels(self, x: Any, places: Sequence[Any]) -> Any:
        """Return the pixels at whole places (batch, *out), or next to them at the border, with the channels last."""
        sizes = [ops.shape(x)[axis] for axis in self.space(len(x.shape))]
        row = ops.reshape(ops.arange(ops.shape(x)[0], dtype="int32"), (-1, *(1,) * len(sizes)))
        for place, n in zip(places, sizes, strict=True):
            row = row * n + ops.cast(interpolation.held(place, n), "int32")
        tokens = self.to_tokens(x)
        return ops.take(ops.reshape(tokens, (-1, tokens.shape[-1])), row, axis=0)

    def group(self, x: Any, groups: int) -> Any:
        """See `Primitives.group`."""
        axis = self.channel_axis(len(x.shape))
        moved = ops.moveaxis(arrays.cut(x, axis, groups), axis, 1)
        batch, _, *rest = ops.shape(moved)
        return ops.reshape(moved, (batch * groups, *rest))

    def ungroup(self, x: Any, groups: int) -> Any:
        """See `Primitives.ungroup`."""
        axis = self.channel_axis(len(x.shape))
        batch, *rest = ops.shape(x)
        moved = ops.moveaxis(ops.reshape(x, (batch // groups, groups, *rest)), 1, axis)
        rest[axis - 1] *= groups
        return ops.reshape(moved, (batch // groups, *rest))

    def channel_shuffle(self, x: Any, groups: int) -> Any:
        """See `Primitives.channel_shuffle`."""
        axis = self.channel_axis(len(x.shape))
        return ops.reshape(ops.swapaxes(arrays.cut(x, axis, groups), axis, axis + 1), ops.shape(x))

    def split(self, x: Any, pieces: int) -> Sequence[Any]:
        """See `Primitives.split`."""
        parts: Sequence[Any] = ops.split(x, pieces, self.channel_axis(len(x.shape)))
        return parts

    def concat(self, pieces: Sequence[Any]) -> Any:
        """See `Primitives.concat`."""
        return ops.concatenate(pieces, self.channel_axis(len(pieces[0].shape)))

    def exchange(self, x: Any, axis: int) -> Any:
        """See `Primitives.exchange`."""
        rank = len(x.shape)
        return ops.swapaxes(x, self.channel_axis(rank), self.space(rank)[axis])

    def join(self, images: Sequence[Any]) -> Any:
        """See `Primitives.join`."""
        return self._from_last(ops.concatenate([self.to_tokens(x) for x in images], 1))

    def cut(self, line: Any, like: Sequence[Any]) -> Sequence[Any]:
        """See `Primitives.cut`."""
        tokens, start, pieces = self._to_last(line), 0, []
        for x in like:
            end = start + math.prod(ops.shape(x)[axis] for axis in self.space(len(x.shape)))
            pieces.append(self.to_image(tokens[:, start:end], x))
            start = end
        return pieces

    def depth_to_channels(self, x: Any) -> Any:
        """See `Primitives.depth_to_channels`."""
        first = ops.moveaxis(x, self.channel_axis(len(x.shape)), 1)
        batch, channels, depth, *rest = ops.shape(first)
        y = ops.reshape(first, (batch, channels * depth, *rest))
        return ops.moveaxis(y, 1, self.channel_axis(len(x.shape) - 1))

    def channels_to_depth(self, x: Any) -> Any:
        """See `Primitives.channels_to_depth`."""
        first = ops.moveaxis(x, self.channel_axis(len(x.shape)), 1)
        return ops.expand_dims(first, self.channel_axis(len(x.shape) + 1))

    # ---- images with images and vectors ----------------------------------------------------------------------------

    def scale(self, x: Any, gate: Any) -> Any:
        """See `Primitives.scale`."""
        return x * ops.expand_dims(gate, self.space(len(x.shape)))

    def shift(self, x: Any, offset: Any) -> Any:
        """See `Primitives.shift`."""
        return x + ops.expand_dims(offset, self.space(len(x.shape)))

    @arrays.widened
    def standardise(self, x: Any, eps: float) -> Any:
        """See `Primitives.standardise`."""
        arrays.require_numbers(x)
        space = self.space(len(x.shape))
        pixels = arrays.count(x, space)
        centred = x - ops.sum(x, space, keepdims=True) / pixels
        variance = ops.sum(centred * centred, space, keepdims=True) / ops.maximum(pixels - 1, 1)
        return centred / ops.sqrt(variance + eps)

    def multiply(self, a: Any, b: Any) -> Any:
        """See `Primitives.multiply`."""
        return a * b

    def add(self, a: Any, b: Any) -> Any:
        """See `Primitives.add`."""
        return a + b

    def maximum(self, a: Any, b: Any) -> Any:
        """See `Primitives.maximum`; TensorFlow's own gives all of the derivative to the first."""
        return ops.where(a > b, a, ops.where(b > a, b, a / 2 + b / 2))

    # ---- images and ordinary arrays --------------------------------------------------------------------------------

    def to_tokens(self, x: Any) -> Any:
        """See `Primitives.to_tokens`."""
        last = self._to_last(x)
        batch, *space, channels = ops.shape(last)
        return ops.reshape(last, (batch, math.prod(space), channels))

    def to_image(self, tokens: Any, like: Any) -> Any:
        """See `Primitives.to_image`."""
        batch, _, channels = ops.shape(tokens)
        space = (ops.shape(like)[axis] for axis in self.space(len(like.shape)))
        return self._from_last(ops.reshape(tokens, (batch, *space, channels)))

    def flatten(self, x: Any) -> Any:
        """See `Primitives.flatten`."""
        first = ops.moveaxis(x, self.channel_axis(len(x.shape)), 1)
        batch, *rest = ops.shape(first)
        return ops.reshape(first, (batch, math.prod(rest)))

    def _to_last(self, x: Any) -> Any:
        """Undo `_from_last`."""
        return ops.moveaxis(x, self.channel_axis(len(x.shape)), -1)

    def _from_last(self, x: Any) -> Any:
        """Turn an image with the channels last into a native one."""
        return ops.moveaxis(x, -1, self.channel_axis(len(x.shape)))

    # ---- ordinary arrays -------------------------------------------------------------------------------------------

    def einsum(self, equation: str, *operands: Any) -> Any:
        """See `Primitives.einsum`; products of matrices are summed in float32 as they are, mere sums are not.

        TensorFlow Lite has no operation for an einsum with a mere sum: it is taken of its operand alone, before.
        """
        given, _, kept = equation.partition("->")
        letters = given.split(",")
        alone = [{n for n in one if given.count(n) == 1 and n not in kept} for one in letters]
        if not any(alone):
            return arrays.einsum(equation, *operands)
        if arrays.PRODUCT.fullmatch(equation):  # a matrix product and a sum, whose gradients are fast
            result = arrays.einsum(equation, *(ops.cast(operand, arrays.wide(operand)) for operand in operands))
            return ops.cast(result, operands[0].dtype)
        left = ["".join(n for n in one if n not in mere) for one, mere in zip(letters, alone, strict=True)]
        summed = []
        for x, one, mere in zip(operands, letters, alone, strict=True):
            wide = ops.cast(x, arrays.wide(x))
            summed.append(ops.sum(wide, [one.index(n) for n in mere]) if mere else wide)
        return ops.cast(arrays.einsum(f"{','.join(left)}->{kept}", *summed), operands[0].dtype)

    @arrays.widened
    def softmax(self, x: Any) -> Any:
        """See `Primitives.softmax`."""
        return arrays.softmax(x)

    def attend(self, query: Any, key: Any, value: Any, factor: float) -> Any:
        """See `Primitives.attend`; only torch has a kernel for values that are not as wide as the keys."""
        if keras.backend.backend() != "torch":
            return self._attend(query, key, value, factor)
        heads = (ops.expand_dims(tokens, 2) for tokens in (query, key, value))
        return ops.squeeze(ops.dot_product_attention(*heads, scale=factor), 2)

    @arrays.widened
    def _attend(self, query: Any, key: Any, value: Any, factor: float) -> Any:
        shares = arrays.softmax(factor * ops.einsum("bnc,bmc->bnm", query, key))
        return ops.einsum("bnm,bmd->bnd", shares, value)

    @arrays.widened
    def normalise(self, x: Any, order: int, eps: float = 1e-6) -> Any:
        """See `Primitives.normalise`."""
        length = ops.sum(x, -1, keepdims=True) if order == 1 else arrays.length(x, -1, keepdims=True)
        return x / (eps + length)

    @arrays.widened
    def over_positions(self, x: Any, tokens: Any) -> Any:
        """See `Primitives.over_positions`."""
        return x / arrays.count(tokens, (1,), x.dtype)

    def take(self, x: Any, index: Any) -> Any:
        """See `Primitives.take`."""
        batch, rows, columns = ops.shape(x)
        flat = np.arange(len(index))[:, None] * columns + index
        return ops.take(ops.reshape(x, (batch, rows * columns)), ops.cast(flat, "int32"), axis=1)

    def matrices(self, x: Any, rows: int) -> Any:
        """See `Primitives.matrices`."""
        batch, numbers = ops.shape(x)
        return ops.reshape(x, (batch, rows, numbers // rows))

    @arrays.widened
    def batch_mean(self, x: Any) -> Any:
        """See `Primitives.batch_mean`."""
        return ops.sum(x, 0) / arrays.count(x, (0,))

    def stop_gradient(self, x: Any) -> Any:
        """See `Primitives.stop_gradient`."""
        return ops.stop_gradient(x)

    # ---- elementwise -----------------------------------------------------------------------------------------------

    def linear(self, x: Any, factor: float, offset: float = 0.0) -> Any:
        """See `Primitives.linear`."""
        return x * factor + offset

    def relu(self, x: Any) -> Any:
        """See `Primitives.relu`."""
        return ops.relu(x)

    def leaky_relu(self, x: Any) -> Any:
        """See `Primitives.leaky_relu`; JAX's own has the derivative 1 at 0."""
        return ops.where(x > 0, x, x * 0.01)

    def silu(self, x: Any) -> Any:
        """See `Primitives.silu`."""
        return ops.silu(x)

    def gelu(self, x: Any) -> Any:
        """See `Primitives.gelu`; TensorFlow's own has a short square root of 2, 5e-9 off in float64."""
        return x * (1 + ops.erf(x / math.sqrt(2))) / 2

    def sigmoid(self, x: Any) -> Any:
        """See `Primitives.sigmoid`."""
        return ops.sigmoid(x)

    def hard_swish(self, x: Any) -> Any:
        """See `Primitives.hard_swish`."""
        return x * ops.hard_sigmoid(x)

    def hard_sigmoid(self, x: Any) -> Any:
        """See `Primitives.hard_sigmoid`."""
        return ops.hard_sigmoid(x)
