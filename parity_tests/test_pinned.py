"""Pinning: a block alone, other lines byte for byte, and nothing where nothing changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attn_core.blocks import CBAM, GlobalPooling
from attn_core.models.registry import KNOWN
from attn_core.parity import fingerprints, pinned
from attn_core.parity.subjects import chosen
from attn_core.spec import SpecError

NAME = "GlobalPooling(pools='both') on (2, 4, 5, 3)"
OTHER = NAME.replace("5, 3", "7, 7")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the pins, so that a test may write them."""
    copy = tmp_path / "pins.json"
    copy.write_bytes(pinned.FILE.read_bytes())
    monkeypatch.setattr(pinned, "FILE", copy)
    return copy


@pytest.fixture
def changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Define two blocks otherwise than their pins."""
    own = CBAM.forward

    def doubled(self: GlobalPooling, f: Any, p: Any, x: Any) -> Any:
        return f.concat([f.global_mean(x), f.global_mean(x)])

    monkeypatch.setattr(GlobalPooling, "forward", doubled)
    monkeypatch.setattr(CBAM, "forward", lambda self, f, p, x: f.multiply(own(self, f, p, x), f.sigmoid(x)))


def test_what_has_not_changed_is_not_written(file: Path):
    """On this processor, which need not be the one that pinned."""
    before = file.stat().st_mtime_ns
    assert pinned.pin() == []
    assert pinned.pin("CBAM") == []
    assert file.stat().st_mtime_ns == before


@pytest.mark.usefixtures("changed")
def test_one_block_is_pinned_alone(file: Path):
    before = file.read_text().splitlines()
    assert pinned.pin("global_pooling") == [NAME]
    after = file.read_text().splitlines()
    start = before.index(f' "{NAME}": {{')
    end = before.index(" },", start)
    assert after[:start] == before[:start]
    assert after[-len(before) + end :] == before[end:]
    assert after[start : end + len(after) - len(before)] != before[start:end]
    assert pinned.pin("GlobalPooling") == []


@pytest.mark.usefixtures("changed")
def test_all_blocks_that_changed_are_pinned(file: Path):
    """Those too that have one as a part."""
    found = pinned.pin()
    assert [name.partition("(")[0] for name in found] == ["CBAM", "CBAM", "GlobalPooling", "ResidualBlock"]
    assert pinned.pin() == []


def test_a_new_configuration_comes_where_it_stands_among_the_others(file: Path):
    """And one that is no longer standard goes."""
    released = file.read_text()
    file.write_text(released.replace(NAME, OTHER))
    assert pinned.pin("GlobalPooling") == [OTHER, NAME]
    order = [line for line in released.splitlines() if line.endswith("): {")]
    assert [line for line in file.read_text().splitlines() if line.endswith("): {")] == order


def test_a_pin_within_rounding_is_kept(file: Path):
    """Another processor's last digits are no change; the eighth digit is."""
    text = file.read_text()
    value = str(json.loads(text)[NAME]["steps"]["output"])
    other = repr(float(value) * (1 + 4e-16))
    assert other != value
    file.write_text(text.replace(value, other))
    assert pinned.pin() == []
    file.write_text(text.replace(value, repr(float(value) * (1 + 1e-8))))
    assert pinned.pin("GlobalPooling") == [NAME]


def test_a_change_of_places_is_told_where_no_number_is_rounded():
    exact, array = np.zeros(4), np.arange(4.0)
    pin = fingerprints.of_array(array, exact).value
    assert fingerprints.of_array(array, exact).agrees(pin)
    assert not fingerprints.of_array(array[::-1], exact).agrees(pin)


@pytest.mark.parametrize("pin", [1.0, -1e-300])
def test_what_is_zero_now_and_was_not(pin: float, file: Path, monkeypatch: pytest.MonkeyPatch):
    """Zeros have no rounding: their bound is 0."""
    (trial,) = chosen(["GlobalPooling"])
    monkeypatch.setattr(GlobalPooling, "forward", lambda self, f, p, x: f.linear(f.global_mean(x), 0.0))
    pins = {"eval": {"output": pin}, "steps": {}}
    monkeypatch.setattr(pinned, "_pins", lambda: {pinned.key(trial): pins})
    tensors, _ = pinned.compared_with_pins(trial, False)
    output = next(tensor for tensor in tensors if tensor.name == "output")
    assert (output.share, output.found, output.wanted) == (float("inf"), 0, pin)


def test_a_misspelt_name_is_refused(capsys: pytest.CaptureFixture[str], file: Path):
    with pytest.raises(SystemExit) as caught:
        pinned.main(["CBMA"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said == f"There is no block 'CBMA'; did you mean CBAM? The blocks are {', '.join(KNOWN)}.\n"
    with pytest.raises(SpecError, match=r"There is no block 'xyz'\. The blocks are "):
        pinned.pin("xyz")


def test_the_command():
    command = [sys.executable, "-m", "attn_core.parity.pinned", "pointwise_gate"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Nothing has changed: the pins stay as they are.\n"
