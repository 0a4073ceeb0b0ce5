"""Layers as other people write them in PyTorch: right ones, and each with one thing wrong."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class SE(nn.Module):
    """Squeeze-and-excitation with timm's names."""

    def __init__(self, channels: int = 8, hidden: int = 2, bias: bool = True, activation: Any = torch.relu):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=bias)
        self.activation = activation

    def pool(self, x):
        return x.mean((2, 3), keepdim=True)

    def gate(self, x):
        return torch.sigmoid(self.fc2(self.activation(self.fc1(self.pool(x)))))

    def forward(self, x):
        return x * self.gate(x)


class MaxPooled(SE):
    def pool(self, x):
        return x.amax((2, 3), keepdim=True)


class GateOnly(SE):
    def forward(self, x):
        return self.gate(x)


class Residual(SE):
    def forward(self, x):
        return x + x * self.gate(x)


class Unbiased(SE):
    """Has a bias that it does not use."""

    def gate(self, x):
        hidden = torch.relu(self.fc1(self.pool(x)))
        return torch.sigmoid(nn.functional.conv2d(hidden, self.fc2.weight))


class Random(SE):
    def forward(self, x):
        return nn.functional.dropout(x * self.gate(x), 0.5)


class Short(SE):
    def forward(self, x):
        return super().forward(x)[:, :3]


class Undefined(SE):
    def forward(self, x):
        return super().forward(x) * torch.nan


class Raising(SE):
    def forward(self, x):
        raise RuntimeError("no such kernel")


class Needy(SE):
    def forward(self, x, like):
        return super().forward(x) + 0 * like


class Keyed(SE):
    def forward(self, x, *, like):
        return super().forward(x) + 0 * like


class Gated(SE):
    """Has another function for its gate."""

    function = staticmethod(torch.tanh)

    def gate(self, x):
        return self.function(self.fc2(self.activation(self.fc1(self.pool(x)))))


class Softmax(Gated):
    function = staticmethod(lambda x: torch.softmax(x, 1))


class Ungated(Gated):
    function = staticmethod(lambda x: x)


class DetachedSqueeze(SE):
    def pool(self, x):
        return super().pool(x).detach()


class GateWithoutGradients(SE):
    @torch.no_grad()
    def gate(self, x):
        return super().gate(x)


class WithoutGradients(SE):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class Several(SE):
    def forward(self, x):
        return super().forward(x), x


class Remembering(SE):
    """Keeps what it sees, and counts in a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.last = None

    def forward(self, x):
        self.last = x
        self.seen += 1
        return super().forward(x)


class ChannelGate(nn.Module):
    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x):
        logits = self.mlp(x.amax((2, 3), keepdim=True)) + self.mlp(x.mean((2, 3), keepdim=True))
        return x * torch.sigmoid(logits)[:, :, None, None]


class SpatialGate(nn.Module):
    def __init__(self, swapped: bool, kernel: int, norm: dict[str, float]):
        super().__init__()
        self.swapped = swapped
        self.spatial = nn.Module()
        self.spatial.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.spatial.bn = nn.BatchNorm2d(1, **norm)

    def forward(self, x):
        planes = [x.amax(1, keepdim=True), x.mean(1, keepdim=True)]
        logits = self.spatial.conv(torch.cat(planes[:: -1 if self.swapped else 1], 1))
        return x * torch.sigmoid(self.spatial.bn(logits))


class CBAM(nn.Sequential):
    """CBAM as its authors have it; or spatial before channel attention, or its planes swapped."""

    def __init__(self, swapped: bool = False, spatial_first: bool = False, kernel: int = 3, **norm: float):
        gates = {
            "ChannelGate": ChannelGate(4, 2),
            "SpatialGate": SpatialGate(swapped, kernel, {"momentum": 0.01} | norm),
        }
        super().__init__()
        for name in sorted(gates, reverse=spatial_first):
            self.add_module(name, gates[name])


class ResidualCBAM(CBAM):
    def forward(self, x):
        return x + super().forward(x)
