"""Layers as plain loops, for the naive statements of blocks; independent of `attn_core.reference`."""

from __future__ import annotations

import itertools
import math

import numpy as np

Array = np.ndarray


def conv(x: Array, weight: Array, stride: int = 1) -> Array:
    """Convolve with zeros around the image, one output pixel and one step of the kernel after the other."""
    kernel = weight.shape[2:]
    space = [math.ceil(size / stride) for size in x.shape[2:]]
    y = np.zeros((len(x), len(weight), *space))
    for at in np.ndindex(*space):
        for step in np.ndindex(*kernel):
            near = tuple(i * stride + s - k // 2 for i, s, k in zip(at, step, kernel, strict=True))
            if all(0 <= i < size for i, size in zip(near, x.shape[2:], strict=True)):
                y[(..., *at)] += x[(..., *near)] @ weight[(..., *step)].T
    return y


def batch_norm(x: Array, w: dict[str, Array], name: str, train: bool) -> Array:
    """Normalise one channel after the other with the weights of this name."""
    y = np.empty(x.shape)
    for c in range(x.shape[1]):
        mean = x[:, c].mean() if train else w[f"{name}.running_mean"][c]
        variance = ((x[:, c] - mean) ** 2).mean() if train else w[f"{name}.running_var"][c]
        y[:, c] = (x[:, c] - mean) / math.sqrt(variance + 1e-5) * w[f"{name}.weight"][c] + w[f"{name}.bias"][c]
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


def resize(x: Array, space: tuple[int, ...]) -> Array:
    """Interpolate linearly between the nearest pixels, corner to corner."""
    y = np.zeros((*x.shape[:2], *space))
    for at in np.ndindex(*space):
        places = [i * (n - 1) / (m - 1) if m > 1 else 0.0 for i, n, m in zip(at, x.shape[2:], space, strict=True)]
        for corner in itertools.product((0, 1), repeat=len(space)):
            pixel = [math.floor(place) + step for place, step in zip(places, corner, strict=True)]
            share = math.prod(1 - abs(place - i) for place, i in zip(places, pixel, strict=True))
            if share > 0 and all(i < n for i, n in zip(pixel, x.shape[2:], strict=True)):
                y[(..., *at)] += share * x[(..., *pixel)]
    return y
