"""TensorFlow's SAME padding for PyTorch, right for images of every size.

With a stride above 1 it adds more after the image than before it, and how much depends on the size:
`padding=1` is not the same. `SameConv2d` takes what `torch.nn.Conv2d` takes, without `padding`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from attn_torch.ops import pad_same
from attn_torch.parts import SameConv1d, SameConv2d, SameConv3d

__all__ = ["SameConv1d", "SameConv2d", "SameConv3d", "avg_pool2d", "max_pool2d"]

Pair = int | tuple[int, int]


def max_pool2d(x: Tensor, window: Pair, stride: Pair) -> Tensor:
    """Take the maximum of each window of (N, C, H, W); the border does not count."""
    window, stride = _pair(window), _pair(stride)
    return functional.max_pool2d(pad_same(x, window, stride, -torch.inf), window, stride)


def avg_pool2d(x: Tensor, window: Pair, stride: Pair) -> Tensor:
    """Take the mean of each window of (N, C, H, W), over the pixels that lie inside the image."""
    window, stride = _pair(window), _pair(stride)
    inside = torch.ones_like(x[:1, :1])
    sums, share = (functional.avg_pool2d(pad_same(each, window, stride), window, stride) for each in (x, inside))
    return sums / share


def _pair(numbers: Pair) -> tuple[int, int]:
    return numbers if isinstance(numbers, tuple) else (numbers, numbers)
