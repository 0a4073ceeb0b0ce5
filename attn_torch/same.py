"""TensorFlow's SAME padding for PyTorch, right for images of every size.

With a stride above 1 it adds more after the image than before it, and how much depends on the size:
`padding=1` is not the same. `SameConv2d` takes what `torch.nn.Conv2d` takes, without `padding`. Each function and class
has its form for signals (1d), images (2d) and volumes (3d).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from attn_torch.ops import pad_same
from attn_torch.parts import SameConv1d, SameConv2d, SameConv3d

__all__ = [
    "SameConv1d",
    "SameConv2d",
    "SameConv3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]

Lengths = int | tuple[int, ...]

_MAX = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
_AVG = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)


def max_pool1d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the maximum of each window of (N, C, L); the border does not count."""
    return _maximum(x, window, stride, 1)


def max_pool2d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the maximum of each window of (N, C, H, W); the border does not count."""
    return _maximum(x, window, stride, 2)


def max_pool3d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the maximum of each window of (N, C, D, H, W); the border does not count."""
    return _maximum(x, window, stride, 3)


def avg_pool1d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the mean of each window of (N, C, L), over the places that lie inside the signal."""
    return _mean(x, window, stride, 1)


def avg_pool2d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the mean of each window of (N, C, H, W), over the pixels that lie inside the image."""
    return _mean(x, window, stride, 2)


def avg_pool3d(x: Tensor, window: Lengths, stride: Lengths) -> Tensor:
    """Take the mean of each window of (N, C, D, H, W), over the voxels that lie inside the volume."""
    return _mean(x, window, stride, 3)


def _maximum(x: Tensor, window: Lengths, stride: Lengths, dimensions: int) -> Tensor:
    lengths, steps = _each(window, dimensions), _each(stride, dimensions)
    pooled: Tensor = _MAX[dimensions - 1](pad_same(x, lengths, steps, -torch.inf), lengths, steps)
    return pooled


def _mean(x: Tensor, window: Lengths, stride: Lengths, dimensions: int) -> Tensor:
    lengths, steps = _each(window, dimensions), _each(stride, dimensions)
    inside = torch.ones_like(x[:1, :1])
    pool = _AVG[dimensions - 1]
    sums, share = (pool(pad_same(each, lengths, steps), lengths, steps) for each in (x, inside))
    means: Tensor = sums / share
    return means


def _each(numbers: Lengths, dimensions: int) -> tuple[int, ...]:
    return numbers if isinstance(numbers, tuple) else (numbers,) * dimensions
