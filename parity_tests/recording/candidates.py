"""The numbers among which an operation of PyTorch looks for each of its maxima."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional


def candidates(name: str, x: torch.Tensor, *options: Any) -> torch.Tensor | None:
    """Return the numbers of each maximum along the last axis; None where that is not known."""
    x = x.detach()
    if name.startswith("max_pool"):
        return _windows(x, *options[:3])
    if name.startswith("adaptive"):
        (size,) = options
        # Other windows differ in size, and overlap.
        return x.flatten(-len(size)) if set(size) == {1} else None
    axes = options[0] if options and options[0] != [] else range(x.ndim)
    return _last(x, [axes] if isinstance(axes, int) else axes)


def _last(x: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    """Put these axes together at the end."""
    reduced = [axis % x.ndim for axis in axes]
    kept = [axis for axis in range(x.ndim) if axis not in reduced]
    return x.permute(*kept, *reduced).flatten(len(kept))


def _windows(x: torch.Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Any = 0) -> torch.Tensor:
    """Cut out the windows of a pool; dilation, and a last window that is not whole, are left out of account."""
    rank = len(kernel)
    padding = [padding] * rank if isinstance(padding, int) else padding
    # PyTorch wants the last axis first, and both sides of each.
    sides = [size for size in reversed(padding) for _ in range(2)]
    x = functional.pad(x, sides, value=float("-inf"))
    first = x.ndim - rank
    for axis, size, step in zip(range(first, x.ndim), kernel, stride or kernel, strict=True):
        x = x.unfold(axis, size, step)
    return x.flatten(first + rank)
