"""Layers as plain loops, for the naive statements of blocks; independent of `attn_core.interpreters.reference`."""

from __future__ import annotations

import itertools
import math

import numpy as np

Array = np.ndarray


def before(size: int, window: int, stride: int, padding: str) -> int:
    """Return how many pixels stand before an axis: TensorFlow's SAME puts the odd one after it."""
    if padding == "same":
        return max((math.ceil(size / stride) - 1) * stride + window - size, 0) // 2
    return window // 2 if padding == "symmetric" else 0


def conv(x: Array, weight: Array, stride: int = 1, padding: str = "symmetric") -> Array:
    """Convolve, one output pixel and one step of the kernel after the other; pixels beyond the image are 0."""
    kernel, sizes = weight.shape[2:], x.shape[2:]
    starts = [before(size, k, stride, padding) for size, k in zip(sizes, kernel, strict=True)]
    lost = [k - 1 if padding == "valid" else 0 for k in kernel]
    space = [math.ceil((size - n) / stride) for size, n in zip(sizes, lost, strict=True)]
    y = np.zeros((len(x), len(weight), *space))
    for at in np.ndindex(*space):
        for step in np.ndindex(*kernel):
            near = tuple(i * stride + s - start for i, s, start in zip(at, step, starts, strict=True))
            if all(0 <= i < size for i, size in zip(near, sizes, strict=True)):
                y[(..., *at)] += x[(..., *near)] @ weight[(..., *step)].T
    return y


def max_pool(x: Array, window: int, stride: int, padding: str) -> Array:
    """Return the largest pixel near each output pixel."""
    sizes = x.shape[2:]
    starts = [before(size, window, stride, padding) for size in sizes]
    y = np.empty((*x.shape[:2], *(math.ceil(size / stride) for size in sizes)))
    for at in np.ndindex(*y.shape[2:]):
        low = [i * stride - start for i, start in zip(at, starts, strict=True)]
        box = tuple(slice(max(i, 0), i + window) for i in low)
        y[(..., *at)] = x[(..., *box)].reshape(*x.shape[:2], -1).max(-1)
    return y


def batch_norm(x: Array, w: dict[str, Array], name: str, train: bool, eps: float = 1e-5) -> Array:
    """Normalise one channel after the other with the weights of this name."""
    y = np.empty(x.shape)
    for c in range(x.shape[1]):
        mean = x[:, c].mean() if train else w[f"{name}.running_mean"][c]
        variance = ((x[:, c] - mean) ** 2).mean() if train else w[f"{name}.running_var"][c]
        y[:, c] = (x[:, c] - mean) / math.sqrt(variance + eps) * w[f"{name}.weight"][c] + w[f"{name}.bias"][c]
    return y


def conv_norm(x: Array, w: dict[str, Array], name: str, train: bool, stride: int = 1) -> Array:
    """Convolve, then normalise."""
    return batch_norm(conv(x, w[f"{name}.weight"], stride), w, f"{name}_norm", train)


def relu(x: Array) -> Array:
    """Return the numbers above 0, else 0."""
    return np.maximum(x, 0.0)


def means(x: Array, bins: int) -> Array:
    """Return the means of bins that overlap by at most a pixel, `bins` along each axis."""
    y = np.empty((*x.shape[:2], *(bins,) * (x.ndim - 2)))
    for at in np.ndindex(*y.shape[2:]):
        edges = [
            (math.floor(i * n / bins), math.ceil((i + 1) * n / bins)) for i, n in zip(at, x.shape[2:], strict=True)
        ]
        box = tuple(slice(low, high) for low, high in edges)
        y[(..., *at)] = x[(..., *box)].reshape(*x.shape[:2], -1).mean(-1)
    return y


def resize(x: Array, space: tuple[int, ...], align_corners: bool = True) -> Array:
    """Interpolate linearly between the nearest pixels, from the outermost centres or edges."""
    y = np.zeros((*x.shape[:2], *space))
    for at in np.ndindex(*space):
        places = [place(*axis, align_corners) for axis in zip(at, x.shape[2:], space, strict=True)]
        for corner in itertools.product((0, 1), repeat=len(space)):
            pixel = [math.floor(place) + step for place, step in zip(places, corner, strict=True)]
            share = math.prod(1 - abs(place - i) for place, i in zip(places, pixel, strict=True))
            if share > 0 and all(i < n for i, n in zip(pixel, x.shape[2:], strict=True)):
                y[(..., *at)] += share * x[(..., *pixel)]
    return y


def place(pixel: int, size: int, target: int, align_corners: bool) -> float:
    """Return where among `size` pixels one of `target` pixels lies."""
    if align_corners:
        return pixel * (size - 1) / (target - 1) if target > 1 else 0.0
    return min(max((pixel + 0.5) / target * size - 0.5, 0.0), size - 1.0)
