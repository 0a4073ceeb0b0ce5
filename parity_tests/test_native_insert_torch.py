"""Attention inserted into PyTorch networks: names stay, the start is the identity, and all that PyTorch does works."""

from __future__ import annotations

import copy
import pickle
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
from attn_torch import insert, new_parameters, old_parameters, remove, without


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


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


X = torch.linspace(-2, 2, 2 * 3 * 16 * 12).sin().reshape(2, 3, 16, 12)
PLACES: dict[str, Any] = {
    "glob": "stage*.bn",
    "pattern": re.compile(r"stage\d\.\d\.bn"),
    "type": nn.BatchNorm2d,
    "function": lambda name, layer: isinstance(layer, nn.BatchNorm2d),
    "list": ["stage1.?.bn", "stage2.1.bn"],
}
BNS = ["stage1.0.bn", "stage1.1.bn", "stage2.1.bn"]


def run(net: nn.Module, x: Tensor = X) -> Tensor:
    with torch.no_grad():
        return net(x)


def same(found: Tensor, wanted: Tensor) -> bool:
    return bool((found - wanted).abs().max() <= INSERTED * wanted.abs().max())


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


# ---- what PyTorch does with networks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(net: Net, copied: Callable[[nn.Module], nn.Module]):
    """A copy runs its own attention, and gives back its own network."""
    insert(net, "stage*.bn", "se", start=0.5)
    insert(net, before="stage2.0", block="eca", start=0.5)
    other = copied(net)
    wanted = run(net)
    assert torch.equal(run(other), wanted)
    for parameter in new_parameters(other):
        nn.init.zeros_(parameter)
    assert torch.equal(run(net), wanted)
    assert not same(run(other), wanted)
    remove(other)
    assert len(new_parameters(net)) > 0


def test_compile(net: Net):
    insert(net, "stage*.bn", "se", start=0.5)
    wanted = run(net)
    torch._dynamo.reset()
    assert same(run(torch.compile(net, backend="aot_eager", fullgraph=True)), wanted)
    torch._dynamo.reset()


def test_export(net: Net):
    insert(net, "stage*.bn", "cbam", start=0.5)
    insert(net, before="stage2.0.norm", block="se", start=0.5)
    program = torch.export.export(net, (X,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    assert same(program.module()(X[:1]), run(net, X[:1]))
    assert "stage1.0.bn.attention.strength.weight" in program.state_dict


def test_autocast_keeps_the_dtype(net: Net):
    """The strength is in float32, and would make the network's images that, too."""
    with torch.autocast("cpu", torch.bfloat16):
        wanted = net.stem(X)
        insert(net, "stem", "se")
        assert net.stem(X).dtype == wanted.dtype == torch.bfloat16
        net(X).float().square().mean().backward()
    assert all(p.grad is not None for p in new_parameters(net))


def test_fx_and_swa(net: Net):
    """A traced graph calls the layers, and with them their hooks; averages copy them."""
    insert(net, "stage*.bn", "se", start=0.5)
    assert torch.equal(run(torch.fx.symbolic_trace(net)), run(net))
    averaged = torch.optim.swa_utils.AveragedModel(net)
    averaged.update_parameters(net)
    assert torch.equal(run(averaged), run(net))


# ---- refused ---------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[Net], Any], str]] = {
    "no such name": (
        lambda net: insert(net, "stage1.0.bm", "se"),
        "'stage1.0.bm' is no layer of this network; nearest: stage1.0.bn, stage1.0, stage1.1.bn. There are "
        "6 Conv2d (stem, stage1.0.conv, stage1.1.conv, ...), ",
    ),
    "no such type": (lambda net: insert(net, nn.Conv3d, "se"), "any Conv3d is no layer of this network. There are "),
    "a part of a name": (lambda net: insert(net, re.compile("bn"), "se"), "the pattern 'bn', which must match a whole"),
    "no place": (lambda net: insert(net, block="se"), "Say once where: the second argument, after= or before=; got 0"),
    "two places": (lambda net: insert(net, "stem", "se", before="stem"), "Say once where"),
    "no block": (lambda net: insert(net, "stem"), "insert needs a block"),
    "what is no place": (lambda net: insert(net, 3, "se"), "A place is a glob, a compiled pattern, a type"),
    "what is no block": (lambda net: insert(net, "stem", 3), "A block is a name as"),
    "a function of no block": (
        lambda net: insert(net, "stem", lambda c: nn.Identity()),
        "made Identity for 8 channels",
    ),
    "one layer, many places": (
        lambda net: insert(net, "stage*.bn", attn_torch.SimAM(8)),
        "One layer at 3 places would share its weights",
    ),
    "two images": (
        lambda net: insert(net, "stem", attn_core.AttentionGate(8, 8)),
        "takes 2 inputs: what is inserted takes one image.",
    ),
    "another shape": (
        lambda net: insert(net, "stem", attn_core.SpatialTransformer(8, 7)),
        "what is inserted must keep the shape",
    ),
    "other channels": (lambda net: insert(net, "stem", attn_core.CBAM(16)), "after stem: CBAM(channels=16, "),
    "no image": (lambda net: insert(net, "head", "se"), "head (Linear) returns (1, 5), which is no image"),
    "never called": (lambda net: insert(net, "stage2.0.aux", "se"), "stage2.0.aux (Conv2d) was not called in a pass"),
    "an empty container": (lambda net: insert(net, "stage1.0.short", "se"), "(Sequential) is empty"),
    "another start": (lambda net: insert(net, "stem", "se", start="zero"), 'start must be "identity", "paper" or a'),
    "compiled": (
        lambda net: insert(torch.compile(net, backend="eager"), "stem", "se"),
        "The network (OptimizedModule) is compiled, and would not see the change",
    ),
    "wrapped": (lambda net: remove(nn.DataParallel(net)), "(DataParallel) has counted its parameters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(net: Net, case: str):
    """Before anything is changed."""
    what, words = REFUSED[case]
    names = list(net.state_dict())
    with pytest.raises(SpecError, match=re.escape(words)):
        what(net)
    assert list(net.state_dict()) == names


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow, self.wide, self.act = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 6, 1), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.wide(self.act(self.narrow(x))))


def test_a_layer_that_is_called_on_several_numbers_of_channels():
    with pytest.raises(SpecError, match=r"act \(ReLU\) is called 2 times, on 4 and 6 channels: one block fits one"):
        insert(Twice(), nn.ReLU, "se")


def test_a_network_without_convolutions_tells_its_channels_with_an_input():
    net = nn.Sequential(nn.Flatten(2), nn.Linear(6, 6))
    with pytest.raises(SpecError, match=r"1 \(Linear\) does not tell its channels: give input=, the shape of an image"):
        insert(net, "1", "eca")
    (row,) = insert(net, "1", "eca", input=(2, 4, 6))
    assert row.shape == (1, 6, 4)
