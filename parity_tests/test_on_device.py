"""The script for a GPU, on the processor: what it runs, what it says, and that it finds what is wrong."""

from __future__ import annotations

import pytest
from blocks import CASES, EXAMPLES
from runtimes import need

need("torch")

import on_device  # noqa: E402

FEW = {name: CASES[name] for name in ("line", "sa_volume")}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave two cases, and an example that only moves numbers about."""
    monkeypatch.setattr(on_device, "CASES", FEW)
    monkeypatch.setattr(on_device, "EXAMPLES", {"ChannelShuffle": EXAMPLES["ChannelShuffle"]})
    import torch

    monkeypatch.setattr(torch, "set_default_device", lambda device: None)


def test_what_is_right_passes(capsys: pytest.CaptureFixture[str]):
    assert on_device.main("cpu") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(", at most")[0] for line in lines] == [
        "float64: 2 cases on cpu",
        "float32: 2 cases on cpu",
        "bfloat16: 1 cases on cpu",
        "float16: 1 cases on cpu",
    ]


def test_what_is_wrong_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    from attn_torch import ops

    own = ops.global_mean
    monkeypatch.setattr(ops, "global_mean", lambda x: 1.001 * own(x))
    assert on_device.main("cpu") == 1
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("float64 line: output at ")
    assert first.endswith(" times its bound")
