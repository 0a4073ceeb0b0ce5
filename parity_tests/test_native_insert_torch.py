"""Attention inserted into PyTorch networks: places, names that stay, and a start that is the identity."""

from __future__ import annotations

import re
from typing import Any

import pytest
from runtimes import need

need("torch")

import torch
from insert_net import Net, X, made, run, same
from torch import Tensor, nn

import attn_core
import attn_torch
from attn_torch import insert, new_parameters, old_parameters, remove, without


@pytest.fixture
def net() -> Net:
    return made()


PLACES: dict[str, Any] = {
    "glob": "stage*.bn",
    "pattern": re.compile(r"stage\d\.\d\.bn"),
    "type": nn.BatchNorm2d,
    "function": lambda name, layer: isinstance(layer, nn.BatchNorm2d),
    "list": ["stage1.?.bn", "stage2.1.bn"],
}
BNS = ["stage1.0.bn", "stage1.1.bn", "stage2.1.bn"]


@pytest.mark.parametrize("place", PLACES)
def test_places(net: Net, place: str):
    assert [row.place for row in insert(net, PLACES[place], "se")] == BNS


CHOICES: dict[str, Any] = {
    "name": "cbam",
    "what people say": "coordatt",
    "text": "CBAM(reduction=4, norm=True)",
    "class": attn_torch.CBAM,
    "block class": attn_core.CBAM,
    "function": lambda channels: attn_torch.CBAM(channels, norm=True),
    "function of blocks": lambda channels: attn_core.EfficientChannelAttention(channels),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_names_stay_and_the_output(net: Net, choice: str):
    """All old arrays are there under their names, in their order; a step moves old and new ones; files of both load."""
    wanted, old = run(net), {name: array.clone() for name, array in net.state_dict().items()}
    report = insert(net, "stage*.bn", CHOICES[choice])
    assert same(run(net), wanted)
    assert [name for name in net.state_dict() if name in old] == list(old)
    assert [name for name in net.state_dict() if name not in old] == report.keys
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    step(net, 2)
    moved = {name for name, parameter in net.named_parameters() if not torch.equal(parameter, before[name])}
    assert {name for name in old if name in before and "aux" not in name} <= moved
    assert all(any(name.startswith(f"{place}.attention.inner.") for name in moved) for place in BNS)
    with without(net):
        net.load_state_dict(old, strict=True)
        assert torch.equal(run(net.eval()), wanted)
    again = Net()
    insert(again, "stage*.bn", CHOICES[choice])
    again.load_state_dict(net.state_dict(), strict=True)
    assert torch.equal(run(again.eval()), run(net))
    assert remove(net) == BNS
    assert list(net.state_dict()) == list(old)
    assert torch.equal(run(net), wanted)


def step(net: nn.Module, steps: int) -> None:
    groups = [{"params": old_parameters(net)}, {"params": new_parameters(net), "lr": 0.1}]
    optimiser = torch.optim.SGD(groups, lr=0.01)
    net.train()
    for _ in range(steps):
        optimiser.zero_grad()
        net(X).square().mean().backward()
        optimiser.step()
    net.eval()


SIDES = [
    (place, side)
    for place in ("stem", "stage1", "stage1.0", "stage1.0.relu", "stage2.0.norm", "stage2.0.act", "stage2.0")
    for side in ("after", "before")
    if (place, side) != ("stem", "before")  # three channels are too few for this block
]


@pytest.mark.parametrize(("place", "side"), SIDES)
def test_every_side_of_every_layer(net: Net, place: str, side: str):
    """Containers, relus in place, channels that come last; with a strength, the block alone makes the difference."""
    wanted = run(net)
    (row,) = insert(net, block="se", **{side: place})
    assert row.side == side
    assert row.shape[1] == (12 if "stage2" in place else 8 if side == "before" or place != "stage1" else 12)
    assert same(run(net), wanted)
    remove(net)
    insert(net, block="se", **{side: place}, start="paper")
    assert not same(run(net), wanted)


def test_channels_last_are_turned(net: Net):
    """What a hook gives the block is the image with the channels where PyTorch has them."""
    insert(net, "stage2.0.norm", "se", start="paper")
    seen: list[Tensor] = []
    net.stage2[0].norm.attention.register_forward_hook(lambda layer, given, output: seen.extend([given[0], output]))
    run(net)
    assert seen[0].shape == (2, 12, 8, 6)
    assert torch.equal(seen[1], run(net.stage2[0].norm.attention, seen[0]))


def test_before_takes_named_arguments(net: Net):
    wanted = net.stage2[0](x=torch.ones(1, 12, 4, 4), scale=2.0)
    insert(net, before="stage2.0", block="se")
    assert same(net.stage2[0](x=torch.ones(1, 12, 4, 4), scale=2.0), wanted)


def test_start_with_a_number(net: Net):
    """The formula: x + a (block(x) - x)."""
    insert(net, "stem", "se", start=0.25)
    inserted, x = net.stem.attention, torch.rand(1, 8, 4, 4)
    assert torch.equal(inserted.strength.weight, torch.full((8,), 0.25))
    assert same(inserted(x), x + 0.25 * (inserted.inner(x) - x))


def test_two_at_one_place(net: Net):
    insert(net, "stem", "se", start="paper")
    after_se = run(net)
    report = insert(net, "stem", "eca", start="paper")
    assert report.keys == ["stem.attention2.conv.weight"]
    assert not same(run(net), after_se)
    assert remove(net) == ["stem", "stem"]


def test_freeze(net: Net):
    net.head.bias.requires_grad_(False)
    insert(net, "stage*.bn", "se", freeze=True)
    assert {id(p) for p in net.parameters() if p.requires_grad} == {id(p) for p in new_parameters(net)}
    assert old_parameters(net) == []
    remove(net)
    assert [name for name, p in net.named_parameters() if not p.requires_grad] == ["head.bias"]


def test_a_layer_with_weights(net: Net):
    layer = attn_torch.SqueezeExcitation(8, 2)
    held = attn_torch.weights(layer)
    insert(net, "stem", layer, start=0.5)
    assert net.stem.attention.inner is layer
    assert all((attn_torch.weights(layer)[name] == array).all() for name, array in held.items())


def test_dtype_device_and_mode_are_the_networks(net: Net):
    net.double().train()
    insert(net, "stem", "cbam")
    new = net.stem.attention
    assert {p.dtype for p in new.parameters()} == {torch.float64}
    assert new.training
    assert all(module.training for module in net.modules())


def test_report(net: Net):
    report = insert(net, "stage1.*.bn", "se", input=(1, 3, 32, 32))
    lines = str(report).splitlines()
    assert lines[0].split() == ["place", "side", "block", "image", "parameters", "multiply-adds"]
    assert lines[2].split() == [
        "stage1.1.bn",
        "after",
        "SqueezeExcitation(channels=12,",
        "hidden=1)",
        "12x16x16",
        "49",
        "24",
    ]
    assert lines[-1].split() == ["in", "all", *map(str, (report.parameters, report.multiply_adds))]
    assert report.parameters == sum(p.numel() for p in new_parameters(net))
    assert report.model is net
    assert len(report) == 2
