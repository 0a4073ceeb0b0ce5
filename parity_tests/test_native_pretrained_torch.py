"""Attention of a published network exchanged for another, and weights loaded with an account of every name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from bounds import INSERTED
from runtimes import need

need("torch")

import torch
from torch import Tensor, nn

import attn_core
import attn_torch
from attn_core.spec import SpecError
from attn_core.weights import WeightsError
from attn_torch import insert, load_pretrained, replace


class Squeeze(nn.Module):
    """Squeeze and excitation with the names and layout of timm's `SEModule`."""

    def __init__(self, channels: int, activation: Callable[[Tensor], Tensor] = torch.relu):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(self.activation(self.fc1(x.mean((2, 3), keepdim=True)))))


class Net(nn.Module):
    def __init__(self, attention: Callable[[int], nn.Module] = Squeeze):
        super().__init__()
        self.conv, self.se, self.head = nn.Conv2d(3, 16, 3), attention(16), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.se(self.conv(x)).mean((2, 3)))


X = torch.linspace(-2, 2, 2 * 3 * 9 * 8).sin().reshape(2, 3, 9, 8)
SE = attn_core.SqueezeExcitation(16, 4)


def same(found: Tensor, wanted: Tensor) -> bool:
    return bool((found - wanted).abs().max() <= INSERTED * wanted.abs().max())


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


def test_replace_carries_weights(net: Net):
    """Of the same block under other names; other arrays keep their names."""
    wanted = net(X)
    report = replace(net, "se", SE)
    assert "se: weights carried over, read as timm.SEModule" in str(report)
    assert same(net(X), wanted)
    assert report.keys == [key for key in net.state_dict() if key.startswith("se.")]
    assert "in place of se" not in str(report)
    (row,) = replace(net, "se", attn_core.SqueezeExcitation(16, 4))
    assert row.note == "weights carried over, of the same block"
    assert same(net(X), wanted)


def test_replace_carries_nothing_that_computes_something_else():
    """The same names and shapes with another activation: the same arrays, other numbers."""
    net = Net(lambda channels: Squeeze(channels, torch.nn.functional.silu)).eval()
    (row,) = replace(net, "se", SE)
    assert row.note == "fresh weights"
    net = Net(lambda channels: Squeeze(channels, torch.nn.functional.silu)).eval()
    wanted = net(X)
    (row,) = replace(net, "se", attn_core.SqueezeExcitation(16, 4, activation="silu"))
    assert row.note.startswith("weights carried over")
    assert same(net(X), wanted)


def test_replace_by_another_block(net: Net):
    (row,) = replace(net, Squeeze, "eca", start="identity")
    assert (row.side, row.note) == ("in place of", "fresh weights")
    assert isinstance(net.se.inner, attn_torch.EfficientChannelAttention)
    assert same(net(X), net.head(net.conv(X).mean((2, 3))))
    with pytest.raises(SpecError, match=r"in place of se: CBAM\(channels=8, "):
        replace(net, "se", attn_core.CBAM(8))
    with pytest.raises(SpecError, match=r"se\.\w+ is inside of another layer that is to be replaced"):
        replace(net, "se*", "eca")


def test_load_pretrained_by_a_dialect(net: Net):
    ours = Net(lambda channels: attn_torch.SqueezeExcitation(channels, 4)).eval()
    account = load_pretrained(ours, {f"module.{name}": array for name, array in net.state_dict().items()})
    assert (len(account.taken), account.new, account.left) == (8, [], [])
    assert account.read == {"se": "timm.SEModule"}
    assert same(ours(X), net(X))
    assert str(account) == "8 arrays taken, 0 new, 0 left\nse: read as timm.SEModule"


def test_load_pretrained_of_a_single_layer(net: Net):
    layer = attn_torch.SqueezeExcitation(16, 4)
    assert load_pretrained(layer, net.se.state_dict()).read == {"": "timm.SEModule"}
    assert same(layer(torch.ones(1, 16, 3, 3)), net.se(torch.ones(1, 16, 3, 3)))


def test_load_pretrained_of_a_file(net: Net, tmp_path: Any):
    torch.save(net.state_dict(), tmp_path / "net.pth")
    other = Net()
    insert(other, "conv", "cbam")
    account = load_pretrained(other.eval(), tmp_path / "net.pth")
    assert account.new == [key for key in other.state_dict() if key.startswith("conv.attention.")]
    assert same(other(X), net(X))


def test_load_pretrained_is_never_silent(net: Net):
    """What has no counterpart is an error, and nothing is changed; `partial` takes what fits."""
    other = Net(lambda channels: attn_torch.SimAM(channels))
    before = {name: array.clone() for name, array in other.state_dict().items()}
    words = "4 arrays fit; nobody takes se.fc1.weight, se.fc1.bias, se.fc2.weight, se.fc2.bias: partial=True takes what"
    with pytest.raises(WeightsError, match=re.escape(words)):
        load_pretrained(other, net.state_dict())
    with pytest.raises(WeightsError, match=re.escape("Net also has head.weight, head.bias")):
        load_pretrained(net, {name: array for name, array in net.state_dict().items() if "head" not in name})
    with pytest.raises(WeightsError, match=r"None of these arrays are Net.s: it has conv\.weight, .*; they are a\."):
        load_pretrained(other, {"a": torch.ones(2)}, partial=True)
    assert all(torch.equal(array, before[name]) for name, array in other.state_dict().items())
    account = load_pretrained(other, net.state_dict(), partial=True)
    assert account.left == ["se.fc1.weight", "se.fc1.bias", "se.fc2.weight", "se.fc2.bias"]
    assert torch.equal(other.conv.weight, net.conv.weight)


def test_create():
    layer = attn_torch.create("eca", 64, kernel=5, dtype=torch.float64)
    assert layer.block == attn_core.EfficientChannelAttention(64, kernel=5)
    assert layer.conv.weight.dtype == torch.float64
    for words, message in {
        ("ema",): "'ema' is what people call EfficientMultiScaleAttention and ExpectationMaximizationAttention",
        ("eca",): "EfficientChannelAttention: missing a required argument: 'channels'; its fields are channels, ",
        ("ecaa", 8): "No block is called 'ecaa'",
    }.items():
        with pytest.raises(SpecError, match=re.escape(message)):
            attn_torch.create(*words)
