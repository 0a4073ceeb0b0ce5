"""The peers that are always there: modules as a person writes them by hand, from the equations of the papers.

Their weights are called as ours are, so that both compute the same from the same `state_dict`. A configuration that
nobody would write out here has no such peer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attn_core import blocks
from attn_core.spec import Block


def _spread(gate: Tensor) -> Tensor:
    return gate[:, :, None, None]


class SqueezeExcitation(nn.Module):
    """Equations 2 to 4 of the paper."""

    def __init__(self, block: blocks.SqueezeExcitation) -> None:
        super().__init__()
        self.reduce = nn.Linear(block.channels, block.width, bias=block.bias)
        self.expand = nn.Linear(block.width, block.channels, bias=block.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * _spread(gate)


class ChannelAttention(nn.Module):
    """Equation 2 of the paper."""

    def __init__(self, block: blocks.ChannelAttention) -> None:
        super().__init__()
        self.reduce = nn.Linear(block.channels, block.width, bias=block.bias)
        self.expand = nn.Linear(block.width, block.channels, bias=block.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        mean, largest = self.perceptron(x.mean((2, 3))), self.perceptron(x.amax((2, 3)))
        return x * _spread(torch.sigmoid(mean + largest))

    def perceptron(self, z: Tensor) -> Tensor:
        """Compute W1 relu(W0 z)."""
        hidden: Tensor = self.expand(torch.relu(self.reduce(z)))
        return hidden


class SpatialAttention(nn.Module):
    """Equation 3 of the paper."""

    def __init__(self, block: blocks.SpatialAttention) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, block.kernel, padding=block.kernel // 2, bias=block.bias)
        if block.norm:
            self.norm = nn.BatchNorm2d(1, momentum=block.momentum)
        else:
            self.norm = nn.Identity()  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        planes = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.norm(self.conv(planes)))


class CBAM(nn.Module):
    """Equation 1 of the paper."""

    def __init__(self, block: blocks.CBAM) -> None:
        super().__init__()
        parts = block.parts()
        self.channel = ChannelAttention(parts["channel"])  # type: ignore[arg-type]
        self.spatial = SpatialAttention(parts["spatial"])  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        y: Tensor = self.spatial(self.channel(x))
        return y


class GlobalContext(nn.Module):
    """Figure 4d of the paper: the context is a product of the image and the softmax of one convolution."""

    def __init__(self, block: blocks.GlobalContext) -> None:
        super().__init__()
        self.mask = nn.Linear(block.channels, 1, bias=block.bias)
        self.add_reduce = nn.Linear(block.channels, block.width, bias=block.bias)
        self.add_norm = nn.LayerNorm(block.width, eps=block.eps)
        self.add_expand = nn.Linear(block.width, block.channels, bias=block.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        pixels = x.flatten(2)
        weights = F.conv1d(pixels, self.mask.weight[:, :, None], self.mask.bias).softmax(2)
        context = torch.matmul(pixels, weights.transpose(1, 2)).squeeze(2)
        hidden = torch.relu(self.add_norm(self.add_reduce(context)))
        return x + _spread(self.add_expand(hidden))


class Affine(nn.Module):
    """A weight and a bias for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift an image, or means with two axes of length 1."""
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class ShuffleAttention(nn.Module):
    """Equations 1 to 3 of the paper, and the shuffle in two groups."""

    def __init__(self, block: blocks.ShuffleAttention) -> None:
        super().__init__()
        assert block.groups is not None
        self.groups = block.groups
        self.channel, self.spatial = Affine(block.width), Affine(block.width)
        self.norm = nn.GroupNorm(block.width, block.width)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        batch, channels, height, width = x.shape
        first, second = x.reshape(batch * self.groups, -1, height, width).chunk(2, 1)
        first = first * torch.sigmoid(self.channel(first.mean((2, 3), keepdim=True)))
        second = second * torch.sigmoid(self.spatial(self.norm(second)))
        joined = torch.cat([first, second], 1).reshape(batch, 2, channels // 2, height, width)
        return joined.transpose(1, 2).reshape(batch, channels, height, width)


def plain(block: Block) -> nn.Module | None:
    """Return the module that is written out for a block on images of two axes, with fresh weights; None for others."""
    known = {kind.__name__: kind for kind in (*KINDS,)}
    name = type(block).__name__
    if name not in known or getattr(block, "rank", 2) != 2 or any(_differs(block, *each) for each in ONLY.items()):
        return None
    return known[name](block)  # type: ignore[arg-type]


KINDS = (SqueezeExcitation, ChannelAttention, SpatialAttention, CBAM, GlobalContext, ShuffleAttention)
ONLY = {"activation": "relu", "gate": "sigmoid", "pools": "both", "pool": "attention", "fusion": "add"}


def _differs(block: Block, field: str, value: str) -> bool:
    return getattr(block, field, value) != value
