"""A small network with what makes insertion hard: additions and relus in place, containers, channels that come last."""

from __future__ import annotations

import torch
from bounds import INSERTED
from torch import Tensor, nn


class Residual(nn.Module):
    """A residual block with an addition and a relu in place, as many networks have."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1)) if inputs != outputs else nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x))
        y += self.short(x)
        return self.relu(y)


class Last(nn.Module):
    """A block with the channels last in the middle, as ConvNeXt has it; the layer `aux` is never called."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.act = nn.GELU()
        self.aux = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        return x + scale * self.act(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.stage1 = nn.Sequential(Residual(8, 8), Residual(8, 12))
        self.stage2 = nn.Sequential(Last(12), Residual(12, 12))
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stage2(self.stage1(self.stem(x))).mean((2, 3)))


X = torch.linspace(-2, 2, 2 * 3 * 16 * 12).sin().reshape(2, 3, 16, 12)


def made() -> Net:
    torch.manual_seed(0)
    return Net().eval()


def run(net: nn.Module, x: Tensor = X) -> Tensor:
    with torch.no_grad():
        return net(x)


def same(found: Tensor, wanted: Tensor) -> bool:
    return bool((found - wanted).abs().max() <= INSERTED * wanted.abs().max())
