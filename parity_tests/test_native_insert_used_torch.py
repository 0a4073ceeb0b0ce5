"""Attention inserted into PyTorch networks: what PyTorch does with networks works, and what cannot be is refused."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from runtimes import need

need("torch")

import torch
from insert_net import Net, X, made, run, same
from torch import Tensor, nn

import attn_core
import attn_torch
from attn_core.spec import SpecError
from attn_torch import insert, new_parameters, remove


@pytest.fixture
def net() -> Net:
    return made()


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
