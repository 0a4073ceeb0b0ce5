"""`attn bench` in PyTorch: somebody's classes, packages, and what memory a run takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runtimes import need
from terminal import Attn

import attn_core as core
from attn_core.parity.bench import contest
from attn_core.parity.bench.contest import COPY, OURS

LAYERS = """
from torch import nn


class Narrow(nn.Module):
    def __init__(self, channels, kept=1):
        super().__init__()
        self.kept = kept

    def forward(self, x):
        return x[:, : self.kept]


class Same(nn.Identity):
    pass
"""


def in_torch(attn: Attn, *arguments: Any) -> tuple[int, str, str]:
    """Run the command on a small image, in as few rounds as there may be."""
    need("torch")
    import torch

    before = torch.get_num_threads()
    try:
        return attn("bench", *arguments, "--shape", "2,16,4,6", "--rounds", 4, columns=300)
    finally:
        torch.set_num_threads(before)


def test_a_class_of_somebody(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    Path("their_layers.py").write_text(LAYERS)
    monkeypatch.setattr(contest, "SLICE", 1e-4)
    code, stdout, stderr = in_torch(attn, "SE", "--against", "their_layers:Same", "--backward", "--json", "--check")
    assert code == 0, stderr
    forward, both = json.loads(stdout)["contests"]
    assert [each["name"] for each in forward["timed"]] == [OURS, "their_layers:Same", COPY]
    image = forward["image_bytes"]
    assert forward["timed"][0]["memory"]["peak"] >= image
    assert both["timed"][0]["memory"]["kept"] >= image
    assert both["timed"][1]["memory"]["kept"] == 0
    assert forward["check"]["passed"]
    code, _, stderr = in_torch(attn, "SE", "--against", "their_layers:Narrow({channels}, 3)")
    block = "SqueezeExcitation(channels=16, reduction=16)"
    assert (code, stderr) == (
        2,
        f"attn: their_layers:Narrow and {block} are no pair: on 2x16x4x6 they return 2x3x4x6 and 2x16x4x6.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--device", "cuda:99"], "PyTorch has no device 'cuda:99' here; there is cpu"),
        (["--device", "tpu"], "PyTorch has no device 'tpu' here; there is cpu"),
        (["--against", "no_such_layers:SE"], "There is no module no_such_layers here"),
        (["--against", "torch.nn:Linear(5, 5)"], "torch.nn:Linear cannot run on an image of 2x16x4x6: RuntimeError: "),
        (["--against", "torch.nn:Linear()"], "torch.nn:Linear() cannot be made: TypeError: "),
    ],
)
def test_refused_in_torch(attn: Attn, arguments: list[str], sentence: str):
    code, stdout, stderr = in_torch(attn, "SE", *arguments)
    assert (code, stdout) == (2, "")
    assert stderr.startswith(f"attn: {sentence}")
    assert stderr.count("\n") == 1


def test_a_package_that_is_not_installed(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch.bench import packages

    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    code, stdout, stderr = in_torch(attn, "SE", "--against", "timm")
    assert (code, stdout) == (2, "")
    assert stderr == "attn: timm is not installed: install it, or leave it out of --against.\n"


def test_packages_are_told_what_our_blocks_are(monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch.bench import packages

    asked_for: list[str] = []
    monkeypatch.setattr(packages, "find_spec", lambda name: True)
    monkeypatch.setattr(packages, "load", lambda path, arguments: asked_for.append(f"{path}({arguments})"))
    assert packages.named("torchvision", core.CBAM(64)) is None
    assert packages.named("timm", core.CBAM(64, rank=3)) is None
    assert packages.named("torchvision", core.SqueezeExcitation(64)) == ("torchvision.ops.SqueezeExcitation", None)
    packages.named("timm", core.GlobalContext(64, fusion="scale"))
    assert asked_for == [
        "torchvision.ops:SqueezeExcitation(input_channels=64, squeeze_channels=4)",
        "timm.layers:GlobalContext(channels=64, rd_channels=4, use_attn=True, fuse_add=False, fuse_scale=True)",
    ]


def test_memory():
    """An image that is doubled keeps nothing; its square keeps the image, and makes another."""
    need("torch")
    import torch

    from attn_torch.bench import memory

    layer, x = torch.nn.Identity(), torch.ones(1000, requires_grad=True)
    assert memory.kept(lambda: x * 2, layer) == 0
    assert memory.kept(lambda: x * x, layer) == 4000
    assert 8000 <= memory.peak(lambda: (x * 2) * 3, x.device) < 8100  # two images, and the factors
    assert memory.peak(lambda: x.sum(), x.device) < 4000
