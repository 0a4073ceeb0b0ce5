"""The command `attn convert`, as its user meets it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from blocks import RECORDINGS
from dialect_cases import CAM, CBAM, GC, NL, SA, SE, same, weights_of
from runtimes import recipe
from terminal import Attn

import attn_core as core
from attn_core import dialects

BLOCK = CBAM(8, hidden=2, bias=True, norm=True)


def cells(stdout: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in stdout.splitlines() if line.startswith("│")]


def file(name: str, dialect: str, block: core.Block, *prefixes: str, **more: np.ndarray) -> dict[str, Any]:
    """Write a file with a block of this dialect at each place, and other arrays; return its arrays."""
    state: dict[str, Any] = dict(more)
    for i, prefix in enumerate(prefixes or ("",)):
        state |= dialects.write(dialect, block, weights_of(block, seed=i), prefix)
    dialects.write_file(name, state)
    return state


def test_one_block(attn: Attn):
    file("in.safetensors", "jongchan.CBAM", BLOCK)
    arguments = ("in.safetensors", "--from", "jongchan.CBAM", "--to", "timm.CbamModule", "--out", "out.npz")
    code, stdout, stderr = attn("convert", *arguments, columns=160)
    assert (code, stderr) == (0, "")
    assert stdout.startswith(f"{BLOCK!r}\n")
    assert stdout.endswith("1 block written to out.npz.\n")
    assert cells(stdout)[:2] == [
        ["ChannelGate.mlp.1.weight", "channel.fc1.weight", "(2, 8) to (2, 8, 1, 1)"],
        ["ChannelGate.mlp.1.bias", "channel.fc1.bias", "(2,)"],
    ]
    swapped = "(1, 2, 7, 7), backwards along axis 1 to (1, 2, 7, 7)"
    assert ["SpatialGate.spatial.conv.weight", "spatial.conv.conv.weight", swapped] in cells(stdout)
    found = dialects.read("timm.CbamModule", dialects.read_file("out.npz"), momentum=0.01)
    assert found[0] == BLOCK
    assert same(found[1], weights_of(BLOCK))


def test_all_blocks_of_a_network(attn: Attn):
    """Arrays of other layers stay behind; prefixes are in the target's manner."""
    file("in.npz", "moskomule.SELayer", SE(8, hidden=2, bias=False), "layer1.0.se.", "layer2.1.se.", stem=np.zeros(3))
    arguments = ("in.npz", "--from", "moskomule.SELayer", "--to", "tf1.se_block", "--out", "out.npz")
    code, stdout, stderr = attn("convert", *arguments)
    assert (code, stderr) == (0, "")
    assert stdout.endswith("2 blocks written to out.npz.\n")
    block = "SqueezeExcitation(channels=8, hidden=2, bias=False)"
    places = ["layer1.0.se. to layer1/0/se/", "layer2.1.se. to layer2/1/se/"]
    assert stdout.splitlines()[:2] == [f"{block} at {place}" for place in places]
    assert [row[:2] for row in cells(stdout)] == [["fc.0.weight", "dense/kernel"], ["fc.2.weight", "dense_1/kernel"]]
    found = dialects.read_all("tf1.se_block", dialects.read_file("out.npz"))
    assert list(found) == ["layer1/0/se/", "layer2/1/se/"]
    for i, (block, weights) in enumerate(found.values()):
        assert block == SE(8, hidden=2, bias=False)
        assert same(weights, weights_of(block, seed=i))
    assert "stem" not in dialects.read_file("out.npz")


def test_canonical_both_ways(attn: Attn):
    file("in.npz", "timm.GlobalContext", GC(8, hidden=3, fusion="scale", eps=1e-6), "a", "b")
    arguments = ("--from", "timm.GlobalContext", "--to", "canonical", "--out", "own.safetensors")
    assert attn("convert", "in.npz", *arguments, "--prefix", "b.")[0] == 0
    block, weights = core.load("own.safetensors")
    assert block == GC(8, hidden=3, fusion="scale", eps=1e-6)
    assert same(weights, weights_of(block, seed=1))
    arguments = ("--from", "canonical", "--to", "timm.GlobalContext", "--out", "back.npz")
    code, stdout, _ = attn("convert", "own.safetensors", *arguments, columns=120)
    assert code == 0
    assert cells(stdout)[0] == ["mask.weight", "conv_attn.weight", "(1, 8) to (1, 8, 1, 1)"]
    assert same(dialects.read_file("back.npz"), dialects.write("timm.GlobalContext", block, weights))


def test_options(attn: Attn):
    file("in.npz", "seeds.sa_layer", SA(24, 2))
    arguments = ("in.npz", "--from", "seeds.sa_layer", "--to", "canonical", "--out", "own.safetensors")
    assert attn("convert", *arguments, "--option", "groups=2")[0] == 0
    assert core.load("own.safetensors")[0] == SA(24, 2)
    file("in.npz", "alexhex7.NONLocalBlock", NL(4, mode="dot_product"))
    arguments = ("in.npz", "--from", "alexhex7.NONLocalBlock", "--to", "canonical", "--out", "own.safetensors")
    assert attn("convert", *arguments, "--option", "mode=dot_product", "--option", "momentum = 0.1")[0] == 0
    assert core.load("own.safetensors")[0] == NL(4, mode="dot_product")


def test_what_the_source_has_not(attn: Attn):
    """Mmcv's last convolution has no bias before a norm."""
    block = NL(8, norm=True)
    weights = weights_of(block) | {"project.bias": np.zeros(8, "float32")}
    dialects.write_file("in.npz", dialects.write("mmcv.NonLocal", block, weights))
    arguments = ("in.npz", "--from", "mmcv.NonLocal", "--to", "alexhex7.NONLocalBlock", "--out", "out.npz")
    code, stdout, _ = attn("convert", *arguments, "--option", "scale=none", columns=120)
    assert code == 0
    assert ["(none)", "W.0.bias", "as if 0 to (8,)"] in cells(stdout)


def test_a_recorded_network(attn: Attn):
    """Seed 003's SE-ResNet-18, from PyTorch's names to ours."""
    recording = RECORDINGS["torch/003_se_resnet_18"]
    dialects.write_file("in.safetensors", recipe().state(recording.files[0]))
    arguments = ("in.safetensors", "--from", "seeds.SENet", "--to", "canonical", "--out", "own.safetensors")
    code, stdout, _ = attn("convert", *arguments, columns=200)
    assert code == 0
    assert len(cells(stdout)) == len(recording.block.arrays())
    block, weights = core.load("own.safetensors")
    assert block == recording.block
    assert same(weights, recording.weights)


REFUSED = {
    "inexpressible": (
        1,
        ("in.npz", "jongchan.CBAM", "seeds.CBAM", "out.npz"),
        f"seeds.CBAM cannot express {BLOCK!r}: it has nothing that is spatial.norm.weight.",
    ),
    "another block": (
        1,
        ("in.npz", "jongchan.CBAM", "timm.SEModule", "out.npz"),
        f"timm.SEModule cannot express {BLOCK!r}: it is a SqueezeExcitation.",
    ),
    "refused": (
        2,
        ("in.npz", "jongchan.CBAM", "xmu.CBAMBlock", "out.npz"),
        "xmu's CBAMBlock adds its input to the scaled image; CBAM here returns the scaled image.",
    ),
    "another dialect": (
        2,
        ("in.npz", "timm.SEModule", "canonical", "out.safetensors"),
        "in.npz: timm.SEModule: no fc1.weight of 4 axes is among the 18 arrays given (a.ChannelGate.mlp.1.weight, "
        "a.ChannelGate.mlp.1.bias, a.ChannelGate.mlp.3.weight, a.ChannelGate.mlp.3.bias, "
        "a.SpatialGate.spatial.conv.weight, a.SpatialGate.spatial.bn.weight, a.SpatialGate.spatial.bn.bias, "
        "a.SpatialGate.spatial.bn.running_mean, ...).",
    ),
    "several blocks for one": (
        2,
        ("in.npz", "jongchan.CBAM", "canonical", "out.safetensors"),
        "in.npz: holds 2 blocks, a canonical file one: give a prefix of 'a.', 'b.'.",
    ),
    "no file": (2, ("no.npz", "jongchan.CBAM", "canonical", "o.safetensors"), "no.npz: there is no such file."),
    "kind of file": (
        2,
        ("in.npz", "jongchan.CBAM", "timm.CbamModule", "out.keras"),
        "out.keras: this kind cannot be written; written are .safetensors, .npz, .pth, .pt, .h5; Keras' own needs the "
        "whole model: write .h5, which load_weights(..., by_name=True) loads.",
    ),
    "no option": (
        2,
        ("in.npz", "jongchan.CBAM", "canonical", "out.safetensors", "--option", "pools"),
        "'pools' is no option: give a field and its value, as groups=8 or mode=dot_product.",
    ),
    "unknown option": (
        2,
        ("in.npz", "jongchan.CBAM", "canonical", "out.safetensors", "--option", "a=1", "--prefix", "a."),
        "in.npz: jongchan.CBAM has no option a; what sizes do not tell there: pools, momentum.",
    ),
    "option of our own": (
        2,
        ("in.npz", "canonical", "jongchan.CBAM", "out.safetensors", "--prefix", "a."),
        "in.npz: a canonical file says itself what it holds: leave options and prefix out.",
    ),
}


def test_no_dialect(attn: Attn):
    found, stdout, stderr = attn(
        "convert", "in.npz", "--from", "jongchan.CBAN", "--to", "timm.CbamModule", "--out", "o.npz"
    )
    assert (found, stdout) == (2, "")
    assert stderr.startswith("attn: There is no dialect 'jongchan.CBAN'; nearest: jongchan.CBAM, ")


@pytest.mark.parametrize("case", REFUSED)
def test_refused(attn: Attn, case: str):
    code, (path, source, target, out, *more), sentence = REFUSED[case]
    file("in.npz", "jongchan.CBAM", BLOCK, "a.", "b.")
    found, stdout, stderr = attn("convert", path, "--from", source, "--to", target, "--out", out, *more)
    assert (found, stdout, stderr) == (code, "", f"attn: {sentence}\n")
    assert os.listdir() == ["in.npz"]


def test_all_or_nothing(attn: Attn):
    """One block of two that cannot be expressed, and the earlier result stays."""
    state = file("out.npz", "seeds.ChannelAttention", CAM(8, hidden=2))
    blocks = {"a.": SE(8, hidden=2), "b.": SE(8, hidden=2, bias=False)}
    states = [dialects.write("timm.SEModule", block, weights_of(block), prefix) for prefix, block in blocks.items()]
    dialects.write_file("in.npz", states[0] | states[1])
    arguments = ("in.npz", "--from", "timm.SEModule", "--to", "cadene.SEModule", "--out", "out.npz")
    assert attn("convert", *arguments) == (
        1,
        "",
        "attn: cadene.SEModule cannot express SqueezeExcitation(channels=8, hidden=2, bias=False): there bias is True, "
        "not False.\n",
    )
    assert same(dialects.read_file("out.npz"), state)
