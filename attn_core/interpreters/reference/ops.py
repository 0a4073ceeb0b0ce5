"""The primitives in NumPy. Images are (batch, channels, *space); complex numbers pass through analytically."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from attn_core.spec.interpolation import completed, coordinates, mean_matrix, resize_matrix
from attn_core.spec.windows import margins

Numbers = NDArray[Any]

STEP = 1e-30  # of the complex step: so small that its square vanishes beside 1, so the derivative has no rounding
ERF = np.frompyfunc(math.erf, 1, 1)  # a ufunc, so that other kinds of numbers can say what it does to them


def _space(x: Numbers) -> tuple[int, ...]:
    return tuple(range(2, x.ndim))


def _real(x: Numbers) -> Numbers:
    """Return the real part as it would be without a complex step.

    The product of two numbers that carry a step h has -h² in its real part, which turns a comparison with 0 or a tie of
    zeros. Beside anything but 0 it is lost in rounding.
    """
    return np.where(abs(x.real) < STEP, 0, x.real) if np.iscomplexobj(x) else x


def _largest(x: Numbers, axis: int) -> Numbers:
    """Return the largest number; of complex ones the first whose real part is the largest, as derivatives demand."""
    if not np.iscomplexobj(x):
        return cast(Numbers, x.max(axis))
    # NumPy's maximum would prefer the larger imaginary part: the larger derivative, not the first.
    first = np.expand_dims(_real(x).argmax(axis), axis)
    return np.take_along_axis(x, first, axis).squeeze(axis)


def _length(x: Numbers, axes: tuple[int, ...]) -> Numbers:
    """Return the Euclidean length over some axes, which stay; the root has no derivative at 0, here it is 0."""
    real = _real(x).real
    dead = (real * real).sum(axes, keepdims=True) <= 0
    return np.where(dead, 0, np.sqrt(np.where(dead, 1, (x * x).sum(axes, keepdims=True))))


def _along(x: Numbers, axis: int, matrix: Numbers) -> Numbers:
    """Apply a matrix (out, in) to one axis."""
    return np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T, -1, axis)


# ---- from an image to less of it -------------------------------------------------------------------------------------


def global_mean(x: Numbers) -> Numbers:
    """See `Primitives.global_mean`."""
    return cast(Numbers, x.mean(axis=_space(x)))


def global_max(x: Numbers) -> Numbers:
    """See `Primitives.global_max`."""
    return _largest(x.reshape(*x.shape[:2], -1), -1)


def global_length(x: Numbers) -> Numbers:
    """See `Primitives.global_length`."""
    return _length(x, _space(x)).reshape(x.shape[:2])


def channel_mean(x: Numbers) -> Numbers:
    """See `Primitives.channel_mean`."""
    return cast(Numbers, x.mean(1, keepdims=True))


def channel_max(x: Numbers) -> Numbers:
    """See `Primitives.channel_max`."""
    return _largest(x, 1)[:, None]


def adaptive_mean(x: Numbers, size: tuple[int | None, ...]) -> Numbers:
    """See `Primitives.adaptive_mean`."""
    for axis, bins in zip(_space(x), size, strict=True):
        x = x if bins is None else _along(x, axis, mean_matrix(x.shape[axis], bins))
    return x


def mean_pool(x: Numbers, window: int, stride: int) -> Numbers:
    """See `Primitives.mean_pool`."""
    return cast(Numbers, windows(x, (window,) * (x.ndim - 2), stride, "symmetric").mean(tuple(range(2 - x.ndim, 0))))


def max_pool(x: Numbers, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Numbers:
    """See `Primitives.max_pool`."""
    views = windows(x, window, stride, padding, -np.inf)
    return _largest(views.reshape(*views.shape[: x.ndim], -1), -1)


def windows(x: Numbers, kernel: tuple[int, ...], stride: int | None, padding: str, around: float = 0.0) -> Numbers:
    """Return (batch, channels, *positions, *kernel): each window of the image with a number around it."""
    steps = [stride or k for k in kernel]
    sides = [margins(n, k, step, padding) for n, k, step in zip(x.shape[2:], kernel, steps, strict=True)]
    padded = np.pad(x, [(0, 0), (0, 0), *sides], constant_values=around)
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=_space(x))
    return views[(slice(None), slice(None), *(slice(None, None, step) for step in steps))]


# ---- from an image to another place ----------------------------------------------------------------------------------


def resize(x: Numbers, like: Numbers, align_corners: bool = True) -> Numbers:
    """See `Primitives.resize`."""
    for axis in _space(x):
        x = _along(x, axis, resize_matrix(x.shape[axis], like.shape[axis], align_corners))
    return x


def affine_grid(
    theta: Numbers, size: tuple[int | None, ...], align_corners: bool, like: Numbers | None = None
) -> Numbers:
    """See `Primitives.affine_grid`."""
    sizes = completed(size, size if like is None else like.shape[2:])
    axes = [coordinates(n, align_corners) for n in sizes]
    points = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], np.ones(sizes)], -1)
    grid = points.reshape(-1, len(sizes) + 1) @ np.swapaxes(theta, 1, 2)
    return grid.reshape(len(theta), *sizes, len(sizes))


def sample(x: Numbers, grid: Numbers, padding: str, align_corners: bool) -> Numbers:
    """See `Primitives.sample`."""
    sizes = x.shape[2:]
    places = [place(grid[..., -1 - i], n, padding, align_corners) for i, n in enumerate(sizes)]
    low = [np.floor(_real(point)).astype(np.int64) for point in places]
    total: Numbers = np.zeros((), x.dtype)
    for corner in itertools.product((0, 1), repeat=len(sizes)):
        at = [i + step for i, step in zip(low, corner, strict=True)]
        weights = [1 - _distance(point - i) for point, i in zip(places, at, strict=True)]
        inside = np.all([(i >= 0) & (i < n) for i, n in zip(at, sizes, strict=True)], axis=0)
        rows = np.arange(len(x)).reshape(-1, *(1,) * len(sizes))
        nearest = (np.clip(i, 0, n - 1) for i, n in zip(at, sizes, strict=True))
        pixels = np.moveaxis(x, 1, -1)[(rows, *nearest)]
        total = total + pixels * (math.prod(weights) * inside)[..., None]
    return np.moveaxis(total, -1, 1)


def place(points: Numbers, pixels: int, padding: str, align_corners: bool) -> Numbers:
    """Turn coordinates over [-1, 1] into places among pixels, 0 being the centre of the first."""
    found = (points + 1) / 2 * (pixels - 1) if align_corners else ((points + 1) * pixels - 1) / 2
    if padding == "border":
        found = np.where(_real(found) < 0, 0, np.where(found.real > pixels - 1, pixels - 1, found))
    return cast(Numbers, found)


def _distance(x: Numbers) -> Numbers:
    """Return the absolute value, analytic off 0."""
    return np.where(_real(x) < 0, -x, x)


def group(x: Numbers, groups: int) -> Numbers:
    """See `Primitives.group`."""
    return x.reshape(x.shape[0] * groups, x.shape[1] // groups, *x.shape[2:])


def ungroup(x: Numbers, groups: int) -> Numbers:
    """See `Primitives.ungroup`."""
    return x.reshape(x.shape[0] // groups, x.shape[1] * groups, *x.shape[2:])


def channel_shuffle(x: Numbers, groups: int) -> Numbers:
    """See `Primitives.channel_shuffle`."""
    return x.reshape(len(x), groups, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


def split(x: Numbers, pieces: int) -> Sequence[Numbers]:
    """See `Primitives.split`."""
    return np.split(x, pieces, 1)


def concat(pieces: Sequence[Numbers]) -> Numbers:
    """See `Primitives.concat`."""
    return np.concatenate(pieces, 1)


def depth_to_channels(x: Numbers) -> Numbers:
    """See `Primitives.depth_to_channels`."""
    return x.reshape(len(x), -1, *x.shape[3:])


def channels_to_depth(x: Numbers) -> Numbers:
    """See `Primitives.channels_to_depth`."""
    return x[:, None]


def exchange(x: Numbers, axis: int) -> Numbers:
    """See `Primitives.exchange`."""
    return x.swapaxes(1, axis + 2)


def join(images: Sequence[Numbers]) -> Numbers:
    """See `Primitives.join`."""
    return np.concatenate([x.reshape(*x.shape[:2], math.prod(x.shape[2:])) for x in images], 2)


def cut(line: Numbers, like: Sequence[Numbers]) -> Sequence[Numbers]:
    """See `Primitives.cut`."""
    ends = [0, *itertools.accumulate(math.prod(x.shape[2:]) for x in like)]
    pieces = [line[:, :, start:end] for start, end in itertools.pairwise(ends)]
    return [piece.reshape(*line.shape[:2], *x.shape[2:]) for piece, x in zip(pieces, like, strict=True)]


# ---- images with images and vectors ----------------------------------------------------------------------------------


def scale(x: Numbers, gate: Numbers) -> Numbers:
    """See `Primitives.scale`."""
    return x * gate.reshape(gate.shape + (1,) * (x.ndim - 2))


def shift(x: Numbers, offset: Numbers) -> Numbers:
    """See `Primitives.shift`."""
    return x + offset.reshape(offset.shape + (1,) * (x.ndim - 2))


def standardise(x: Numbers, eps: float) -> Numbers:
    """See `Primitives.standardise`."""
    space = _space(x)
    centred = x - x.mean(space, keepdims=True)
    freedom = max(math.prod(x.shape[2:]) - 1, 1)  # a single pixel is its own mean: 0, not 0 / 0
    return cast(Numbers, centred / np.sqrt((centred * centred).sum(space, keepdims=True) / freedom + eps))


def centred_affine(x: Numbers, mean: Numbers, factor: Numbers, offset: Numbers) -> Numbers:
    """Return (x - mean) * factor + offset, each one number for a channel: what norms end with. No primitive."""
    return shift(scale(shift(x, -mean), factor), offset)


def multiply(a: Numbers, b: Numbers) -> Numbers:
    """See `Primitives.multiply`."""
    return a * b


def add(a: Numbers, b: Numbers) -> Numbers:
    """See `Primitives.add`."""
    return a + b


def maximum(a: Numbers, b: Numbers) -> Numbers:
    """See `Primitives.maximum`; the mean of equal numbers is the number, and has half of each derivative."""
    x, y = _real(a).real, _real(b).real
    return np.where(x > y, a, np.where(x < y, b, (a + b) / 2))


# ---- images and ordinary arrays --------------------------------------------------------------------------------------


def to_tokens(x: Numbers) -> Numbers:
    """See `Primitives.to_tokens`."""
    # Not -1, which no size follows from where there are no samples.
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:])).swapaxes(1, 2)


def to_image(tokens: Numbers, like: Numbers) -> Numbers:
    """See `Primitives.to_image`."""
    return tokens.swapaxes(1, 2).reshape(len(tokens), tokens.shape[2], *like.shape[2:])


def flatten(x: Numbers) -> Numbers:
    """See `Primitives.flatten`."""
    return x.reshape(len(x), -1)


# ---- ordinary arrays -------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Numbers) -> Numbers:
    """See `Primitives.einsum`."""
    return cast(Numbers, np.einsum(equation, *operands, optimize=True))


def softmax(x: Numbers) -> Numbers:
    """See `Primitives.softmax`."""
    powers = np.exp(x - x.real.max(-1, keepdims=True))
    return cast(Numbers, powers / powers.sum(-1, keepdims=True))


def attend(query: Numbers, key: Numbers, value: Numbers, factor: float) -> Numbers:
    """See `Primitives.attend`."""
    return softmax(factor * (query @ key.swapaxes(1, 2))) @ value


def normalise(x: Numbers, order: int, eps: float = 1e-6) -> Numbers:
    """See `Primitives.normalise`."""
    length = x.sum(-1, keepdims=True) if order == 1 else _length(x, (-1,))
    return cast(Numbers, x / (eps + length))


def over_positions(x: Numbers, tokens: Numbers) -> Numbers:
    """See `Primitives.over_positions`."""
    return cast(Numbers, x / tokens.shape[1])


def take(x: Numbers, index: Any) -> Numbers:
    """See `Primitives.take`."""
    return np.take_along_axis(x, np.asarray(index)[None], -1)


def matrices(x: Numbers, rows: int) -> Numbers:
    """See `Primitives.matrices`."""
    return x.reshape(len(x), rows, -1)


def batch_mean(x: Numbers) -> Numbers:
    """See `Primitives.batch_mean`."""
    return cast(Numbers, x.mean(0))


def stop_gradient(x: Numbers) -> Numbers:
    """See `Primitives.stop_gradient`: without its imaginary part, a number carries no derivative."""
    return x.real


# ---- elementwise -----------------------------------------------------------------------------------------------------


def linear(x: Numbers, factor: float, offset: float = 0.0) -> Numbers:
    """See `Primitives.linear`."""
    return x * factor + offset


def relu(x: Numbers) -> Numbers:
    """See `Primitives.relu`; asked so that a NaN, of which no comparison is true, stays one."""
    return np.where(_real(x) <= 0, 0, x)


def leaky_relu(x: Numbers) -> Numbers:
    """See `Primitives.leaky_relu`."""
    return np.where(_real(x) <= 0, x * 0.01, x)


def silu(x: Numbers) -> Numbers:
    """See `Primitives.silu`."""
    return x * sigmoid(x)


def hard_swish(x: Numbers) -> Numbers:
    """See `Primitives.hard_swish`."""
    return x * hard_sigmoid(x)


def gelu(x: Numbers) -> Numbers:
    """See `Primitives.gelu`."""
    return cast(Numbers, x * (1 + _erf(x / math.sqrt(2))) / 2)


def sigmoid(x: Numbers) -> Numbers:
    """See `Primitives.sigmoid`; written with tanh, which cannot overflow."""
    return cast(Numbers, (1 + np.tanh(x / 2)) / 2)


def hard_sigmoid(x: Numbers) -> Numbers:
    """See `Primitives.hard_sigmoid`."""
    return np.where(x.real <= -3, 0, np.where(x.real >= 3, 1, (x + 3) / 6))


def _erf(x: Numbers) -> Numbers:
    values = ERF(x.real if np.iscomplexobj(x) else x).astype(np.float64)
    slope = 2 / math.sqrt(math.pi) * np.exp(-(x.real**2)) if np.iscomplexobj(x) else 0.0
    return cast(Numbers, values + 1j * x.imag * slope) if np.iscomplexobj(x) else values
