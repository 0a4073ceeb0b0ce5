"""The primitives in JAX. Images are (batch, *space, channels)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from attn_core.interpreters.shapes import require_floating, require_image
from attn_core.interpreters.shapes.ops import require_points
from attn_core.spec.interpolation import completed
from attn_core.spec.parts import Conv
from attn_core.spec.windows import margins
from attn_jax.interpolation import coordinates, mean_matrix, resize_matrix
from attn_jax.maxima import largest as _largest

HALVES = (jnp.float16, jnp.bfloat16)
EXACT = jax.lax.Precision.HIGHEST  # interpolation is no product of weights: it keeps all bits on every device


def image(x: Any, dtype: Any) -> Array:
    """Give an image the type of computation, or leave it its own, as Flax's layers do; it must be floating."""
    array = jnp.asarray(x, dtype)
    require_floating(array.dtype, jnp.issubdtype(array.dtype, jnp.floating))
    return array


def prepared(inputs: Sequence[Any], dtype: Any, images: int = 1) -> list[Array]:
    """Give the inputs of a block, images and possibly other arrays, the type of computation."""
    arrays = [jnp.asarray(array, dtype) for array in inputs[images:]]
    return [*(image(array, dtype) for array in inputs[:images]), *arrays]


def canonical(inputs: Sequence[Array], images: int = 1) -> list[tuple[Any, ...]]:
    """Return the shapes of a block's inputs, those of images reordered to (batch, channels, *space)."""
    shapes = [array.shape for array in inputs]
    first = [(shape[0], shape[-1], *shape[1:-1]) if len(shape) > 1 else shape for shape in shapes[:images]]
    return [*first, *shapes[images:]]


def space(x: Array) -> tuple[int, ...]:
    """Return the spatial axes of an image."""
    require_image(x.ndim)
    return tuple(range(1, x.ndim - 1))


def padding(part: Conv) -> Any:
    """Return a convolution's padding as Flax takes it."""
    return part.padding.upper() if part.padding != "symmetric" else tuple((n // 2, n // 2) for n in part.reach)


def wide(x: Array) -> Array:
    """Return half precision as float32, in which sums neither overflow nor stick."""
    return x.astype(jnp.float32) if x.dtype in HALVES else x


def _along(x: Array, axis: int, matrix: Any) -> Array:
    """Apply a matrix (out, in) to one axis."""
    return jnp.moveaxis(jnp.tensordot(x, jnp.asarray(matrix, x.dtype), (axis, 1), precision=EXACT), -1, axis)


def _length(x: Array, axes: int | tuple[int, ...], keepdims: bool = False) -> Array:
    """Return the Euclidean length over some axes; its derivative at 0 is 0, not NaN."""
    square = jnp.sum(x * x, axes, keepdims=keepdims)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


# ---- from an image to less of it -------------------------------------------------------------------------------------


def global_mean(x: Array) -> Array:
    """See `Primitives.global_mean`."""
    return jnp.mean(wide(x), space(x)).astype(x.dtype)


def global_max(x: Array) -> Array:
    """See `Primitives.global_max`."""
    space(x)
    return _largest(x.reshape(x.shape[0], -1, x.shape[-1]), 1)[:, 0]


def global_length(x: Array) -> Array:
    """See `Primitives.global_length`."""
    return _length(wide(x), space(x)).astype(x.dtype)


def channel_mean(x: Array) -> Array:
    """See `Primitives.channel_mean`."""
    return jnp.mean(wide(x), -1, keepdims=True).astype(x.dtype)


def channel_max(x: Array) -> Array:
    """See `Primitives.channel_max`."""
    return _largest(x, x.ndim - 1)


def adaptive_mean(x: Array, size: tuple[int | None, ...]) -> Array:
    """See `Primitives.adaptive_mean`."""
    y = wide(x)
    for axis, bins in zip(space(x), size, strict=True):
        y = y if bins is None else _along(y, axis, mean_matrix(x.shape[axis], bins))
    return y.astype(x.dtype)


def mean_pool(x: Array, window: int, stride: int) -> Array:
    """See `Primitives.mean_pool`."""
    y, rank, around = wide(x), len(space(x)), (window // 2, window // 2)
    extent, step = (1, *(window,) * rank, 1), (1, *(stride,) * rank, 1)
    padding = [(0, 0), *[around] * rank, (0, 0)]
    sums: Array = jax.lax.reduce_window(y, np.zeros((), y.dtype), jax.lax.add, extent, step, padding)
    return (sums / math.prod(extent)).astype(x.dtype)


def max_pool(x: Array, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Array:
    """See `Primitives.max_pool`."""
    steps = [stride or length for length in window]
    sides = [margins(n, k, step, padding) for n, k, step in zip(x.shape[1:-1], window, steps, strict=True)]
    extent, step = (1, *window, 1), (1, *steps, 1)
    lowest = np.array(-np.inf, x.dtype)
    largest: Array = jax.lax.reduce_window(x, lowest, jax.lax.max, extent, step, [(0, 0), *sides, (0, 0)])
    return largest


# ---- from an image to another place ----------------------------------------------------------------------------------


def resize(x: Array, like: Array, align_corners: bool = True) -> Array:
    """See `Primitives.resize`."""
    y = wide(x)
    for axis in space(x):
        y = _along(y, axis, resize_matrix(x.shape[axis], like.shape[axis], align_corners))
    return y.astype(x.dtype)


def affine_grid(theta: Array, size: tuple[int | None, ...], align_corners: bool, like: Array | None = None) -> Array:
    """See `Primitives.affine_grid`; of half precision in float32, for its steps are wider than a pixel."""
    sizes, maps = completed(size, size if like is None else like.shape[1:-1]), wide(theta)
    axes = [jnp.asarray(coordinates(n, align_corners), maps.dtype) for n in sizes]
    across = jnp.meshgrid(*axes, indexing="ij")[::-1]
    points = jnp.stack([*across, jnp.ones_like(across[0])], -1).reshape(-1, len(sizes) + 1)
    grid = jnp.einsum("pj,bij->bpi", points, maps, precision=EXACT)
    return grid.reshape(theta.shape[0], *sizes, len(sizes))


def sample(x: Array, grid: Array, padding: str, align_corners: bool) -> Array:
    """See `Primitives.sample`."""
    require_points(x.shape, grid.shape)
    sizes, points = x.shape[1:-1], wide(grid)
    places = [_place(points[..., -1 - i], n, padding, align_corners) for i, n in enumerate(sizes)]
    corners = itertools.product((0, 1), repeat=len(sizes))
    total: Array = sum(_corner(wide(x), places, corner) for corner in corners)  # type: ignore[assignment]
    return total.astype(x.dtype)


def _place(points: Array, pixels: int, padding: str, align_corners: bool) -> Array:
    """Turn coordinates over [-1, 1] into places among pixels, 0 being the centre of the first."""
    place = (points + 1) / 2 * (pixels - 1) if align_corners else ((points + 1) * pixels - 1) / 2
    if padding == "border":
        place = jnp.where(place < 0, 0, jnp.where(place > pixels - 1, pixels - 1, place))
    return place


def _corner(x: Array, places: Sequence[Array], corner: Sequence[int]) -> Array:
    """Return what one corner, the pixel before (0) or after (1) the place along each axis, adds to the samples."""
    weight = jnp.ones((), places[0].dtype)
    index = [jnp.arange(x.shape[0]).reshape(-1, *(1,) * len(places))]
    for place, step, size in zip(places, corner, x.shape[1:-1], strict=True):
        low = jnp.floor(place)
        part, at = place - low if step else 1 - (place - low), low + step
        weight *= jnp.where((at >= 0) & (at < size), part, 0)
        index.append(jnp.clip(at, 0, size - 1).astype(jnp.int32))
    pixels: Array = x[tuple(index)]
    return pixels * weight[..., None]


def group(x: Array, groups: int) -> Array:
    """See `Primitives.group`."""
    pieces = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return jnp.moveaxis(pieces, -2, 1).reshape(x.shape[0] * groups, *x.shape[1:-1], pieces.shape[-1])


def ungroup(x: Array, groups: int) -> Array:
    """See `Primitives.ungroup`."""
    pieces = x.reshape(x.shape[0] // groups, groups, *x.shape[1:])
    return jnp.moveaxis(pieces, 1, -2).reshape(pieces.shape[0], *x.shape[1:-1], groups * x.shape[-1])


def channel_shuffle(x: Array, groups: int) -> Array:
    """See `Primitives.channel_shuffle`."""
    pieces = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return pieces.swapaxes(-1, -2).reshape(x.shape)


def split(x: Array, pieces: int) -> Sequence[Array]:
    """See `Primitives.split`."""
    return jnp.split(x, pieces, -1)


def concat(pieces: Sequence[Array]) -> Array:
    """See `Primitives.concat`."""
    return jnp.concatenate(pieces, -1)


def exchange(x: Array, axis: int) -> Array:
    """See `Primitives.exchange`."""
    return jnp.swapaxes(x, axis + 1, -1)


def join(images: Sequence[Array]) -> Array:
    """See `Primitives.join`."""
    return jnp.concatenate([to_tokens(x) for x in images], 1)


def cut(line: Array, like: Sequence[Array]) -> Sequence[Array]:
    """See `Primitives.cut`."""
    ends = itertools.accumulate(math.prod(x.shape[1:-1]) for x in like[:-1])
    return [to_image(piece, x) for piece, x in zip(jnp.split(line, list(ends), 1), like, strict=True)]


def depth_to_channels(x: Array) -> Array:
    """See `Primitives.depth_to_channels`."""
    last = jnp.moveaxis(x, 1, -1)
    return last.reshape(*last.shape[:-2], -1)


def channels_to_depth(x: Array) -> Array:
    """See `Primitives.channels_to_depth`."""
    return jnp.moveaxis(x, -1, 1)[..., None]


# ---- images with images and vectors ----------------------------------------------------------------------------------


def scale(x: Array, gate: Array) -> Array:
    """See `Primitives.scale`."""
    return x * jnp.expand_dims(gate, space(x))


def shift(x: Array, offset: Array) -> Array:
    """See `Primitives.shift`."""
    return x + jnp.expand_dims(offset, space(x))


def standardise(x: Array, eps: float) -> Array:
    """See `Primitives.standardise`."""
    y, axes = wide(x), space(x)
    centred = y - jnp.mean(y, axes, keepdims=True)
    pixels = math.prod(x.shape[axis] for axis in axes)
    variance = jnp.sum(centred * centred, axes, keepdims=True) / jnp.maximum(pixels - 1, 1)
    return (centred / jnp.sqrt(variance + eps)).astype(x.dtype)


def multiply(a: Array, b: Array) -> Array:
    """See `Primitives.multiply`."""
    return a * b


def add(a: Array, b: Array) -> Array:
    """See `Primitives.add`."""
    return a + b


def maximum(a: Array, b: Array) -> Array:
    """See `Primitives.maximum`."""
    return jnp.maximum(a, b)


# ---- images and ordinary arrays --------------------------------------------------------------------------------------


def to_tokens(x: Array) -> Array:
    """See `Primitives.to_tokens`."""
    return x.reshape(x.shape[0], math.prod(x.shape[axis] for axis in space(x)), x.shape[-1])


def to_image(tokens: Array, like: Array) -> Array:
    """See `Primitives.to_image`."""
    return tokens.reshape(tokens.shape[0], *like.shape[1:-1], tokens.shape[-1])


def flatten(x: Array) -> Array:
    """See `Primitives.flatten`."""
    return jnp.moveaxis(x, -1, 1).reshape(x.shape[0], math.prod(x.shape[1:]))


# ---- ordinary arrays -------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Array) -> Array:
    """See `Primitives.einsum`."""
    dtype = jnp.result_type(*operands)
    return jnp.einsum(equation, *operands, preferred_element_type=_sums(dtype)).astype(dtype)


def _sums(dtype: Any) -> Any:
    return jnp.promote_types(dtype, jnp.float32)


def softmax(x: Array) -> Array:
    """See `Primitives.softmax`."""
    return jax.nn.softmax(wide(x)).astype(x.dtype)


def attend(query: Array, key: Array, value: Array, factor: float) -> Array:
    """See `Primitives.attend`.

    Not `jax.nn.dot_product_attention`: it demands values as wide as the keys, rounds the softmax to half precision,
    and keeps the matrix too, except through cuDNN.
    """
    logits = jnp.einsum("bnc,bmc->bnm", query, key, preferred_element_type=_sums(query.dtype))
    return jnp.einsum("bnm,bmd->bnd", jax.nn.softmax(factor * logits), wide(value)).astype(value.dtype)


def normalise(x: Array, order: int, eps: float = 1e-6) -> Array:
    """See `Primitives.normalise`."""
    y = wide(x)
    length = jnp.sum(y, -1, keepdims=True) if order == 1 else _length(y, -1, keepdims=True)
    return (y / (eps + length)).astype(x.dtype)


def over_positions(x: Array, tokens: Array) -> Array:
    """See `Primitives.over_positions`."""
    return x / tokens.shape[1]


def take(x: Array, index: Any) -> Array:
    """See `Primitives.take`."""
    return jnp.take_along_axis(x, jnp.asarray(index)[None], -1)


def matrices(x: Array, rows: int) -> Array:
    """See `Primitives.matrices`."""
    return x.reshape(x.shape[0], rows, x.shape[1] // rows)


def batch_mean(x: Array) -> Array:
    """See `Primitives.batch_mean`."""
    return jnp.mean(wide(x), 0).astype(x.dtype)


def moved(old: Array, new: Array, share: float, axis_name: str | None = None) -> Array:
    """Return a running array after a step towards a new value; one with a NaN in it moves nothing (`parts.Running`).

    With the name of an axis, the new value is the mean over it.
    """
    new = jax.lax.stop_gradient(new.astype(old.dtype))
    if axis_name is not None:
        new = jax.lax.pmean(new, axis_name)  # type: ignore[no-untyped-call]
    return jnp.where(jnp.isnan(new).any(), old, (1 - share) * old + share * new)


def stop_gradient(x: Array) -> Array:
    """See `Primitives.stop_gradient`."""
    return jax.lax.stop_gradient(x)


# ---- elementwise -----------------------------------------------------------------------------------------------------


def linear(x: Array, factor: float, offset: float = 0.0) -> Array:
    """See `Primitives.linear`."""
    return x * factor + offset


def relu(x: Array) -> Array:
    """See `Primitives.relu`."""
    return jax.nn.relu(x)


def leaky_relu(x: Array) -> Array:
    """See `Primitives.leaky_relu`; JAX's own has the derivative 1 at 0."""
    return jnp.where(x > 0, x, x * 0.01)


def silu(x: Array) -> Array:
    """See `Primitives.silu`."""
    return jax.nn.silu(x)


def gelu(x: Array) -> Array:
    """See `Primitives.gelu`."""
    return jax.nn.gelu(x, approximate=False)


def sigmoid(x: Array) -> Array:
    """See `Primitives.sigmoid`."""
    return jax.nn.sigmoid(x)


def hard_swish(x: Array) -> Array:
    """See `Primitives.hard_swish`."""
    return x * hard_sigmoid(x)


def hard_sigmoid(x: Array) -> Array:
    """See `Primitives.hard_sigmoid`."""
    return jax.nn.hard_sigmoid(x)
