"""The command `attn eject`, and its page, as their user meets them."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from runtimes import need
from terminal import Attn

import attn_core as core

PAGE = (Path(__file__).parent.parent / "docs" / "eject.md").read_text()
COMMANDS = [shlex.split(line)[1:] for line in PAGE.splitlines() if line.startswith("attn ")]


def samples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_of_the_page_run(attn: Attn, command: list[str]):
    code, stdout, stderr = attn(*command)
    assert (code, stderr) == (0, "")
    if "--out" not in command:
        compile(stdout, "ejected", "exec")
        return
    (path,) = os.listdir()
    assert stdout.endswith(f" written to {path}.\n")
    compile(Path(path).read_text(), path, "exec")
    assert attn(*command)[0] == 0  # again, in the place of the first


def test_what_the_page_shows(attn: Attn):
    (shown,) = (text for text in samples("python") if text.startswith('"""'))
    (command,) = re.findall(r"This is what `attn (.*?)` prints", PAGE)
    assert attn(*shlex.split(command)) == (0, shown, "")


def test_how_long_a_network_is(attn: Attn):
    ((command, lines),) = re.findall(r'`attn (eject "se_resnet_50.*?)` has (\d+) lines', PAGE)
    assert len(attn(*shlex.split(command))[1].splitlines()) == int(lines)


def test_samples_of_the_page_run():
    need("torch")
    (moved,) = (text for text in samples("python") if "load_state_dict" in text and not text.startswith('"""'))
    exec(compile(moved, "sample", "exec"), {})


def test_words_that_people_use(attn: Attn):
    assert attn("eject", "SE(64)", "--to", "torch")[1] == core.eject(core.SqueezeExcitation(64), "torch")
    assert attn("eject", "SE (64)", "--to", "torch")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("CBAMM(64)", "--to", "torch"), "No block is called 'CBAMM'; nearest: CBAM."),
        (
            ("CBAM(64)", "--to", "pytorch"),
            "No source can be written for 'pytorch'; nearest: torch: give one of torch, keras, linen, nnx, numpy.",
        ),
        (
            ("CBAM(64, reduction=128)", "--to", "torch"),
            "ChannelAttention(channels=64, reduction=128) leaves no hidden unit: reduction must lie between 1 and 64.",
        ),
        (
            ("EMA(64)", "--to", "torch"),
            "'EMA' is what people call EfficientMultiScaleAttention and ExpectationMaximizationAttention: say which.",
        ),
        (
            ("CBAM(64)", "--to", "torch", "--rank", "1"),
            "CBAM(channels=64, reduction=16, kernel=7) is for images of 2 spatial axes: give rank=1 as a field of the "
            "block.",
        ),
        (
            ("CBAM(64)", "--to", "torch", "--out", "mine.py"),
            "mine.py is there, and `attn eject` did not write it: give another file.",
        ),
        (("CBAM(64)", "--to", "torch", "--out", "."), ". is a folder: give a file for the source."),
        (("CBAM(64)", "--to", "torch", "--out", "none/cbam.py"), "none/cbam.py: No such file or directory."),
    ],
)
def test_refused(attn: Attn, arguments: tuple[str, ...], sentence: str):
    """In one sentence, and nothing is written."""
    Path("mine.py").write_text("mine\n")
    assert attn("eject", *arguments) == (2, "", f"attn: {sentence}\n")
    assert os.listdir() == ["mine.py"]
    assert Path("mine.py").read_text() == "mine\n"
