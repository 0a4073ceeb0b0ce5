"""The command `attn insert`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from runtimes import need
from typer.testing import CliRunner, Result

from attn_core.cli.main import main

NETWORKS = """
from torch import nn

def small(channels=8):
    act, conv = nn.ReLU(), nn.Conv2d(channels, channels, 3)
    return nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), act, conv, act)

network = small()
other = "no network"
"""


def attn(*words: str) -> Result:
    return CliRunner().invoke(main, ["insert", *words], env={"COLUMNS": "200"})


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("torch")
    (tmp_path / "their_networks.py").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "their_networks", raising=False)


def rows(done: Result) -> list[list[str]]:
    return [[c.strip() for c in line.split("│")[1:-1]] for line in done.output.splitlines() if line[:1] == "│"]


@pytest.mark.usefixtures("networks")
def test_table():
    where = ("--at", "[13]", "--block", "eca", "--input", "1,3,16,16")
    done = attn("--model", "their_networks:small", "--args", "16", *where)
    assert done.exit_code == 0, done.output
    assert rows(done) == [
        ["1", "after", "EfficientChannelAttention(channels=16, kernel=3)", "16x14x14", "19", "48"],
        ["3", "after", "EfficientChannelAttention(channels=16, kernel=3)", "16x12x12", "19", "48"],
        ["in all", "", "", "", "38", "96"],
    ]


@pytest.mark.usefixtures("networks")
def test_before_a_layer_that_is_called_twice():
    done = attn("--model", "their_networks:network", "--before", "2", "--block", "simam", "--start", "0.5")
    assert done.exit_code == 0, done.output
    assert "2: called 2 times in a pass, with the same weights." in done.output


REFUSED = {
    "'bn9' is no layer of this network": ("--model", "their_networks:network", "--at", "bn9", "--block", "se"),
    "has no nothing": ("--model", "their_networks:nothing", "--at", "1", "--block", "se"),
    "Say once where": ("--model", "their_networks:network", "--block", "se"),
    "is none of se, cbam": ("--model", "their_networks:network", "--at", "1", "--block", "sseq"),
}


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("words", REFUSED)
def test_refused(words: str):
    done = attn(*REFUSED[words])
    assert done.exit_code == 2
    assert words in done.output
