"""The recorder: a case folder that the tests' own readers take, the same bytes again, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import test_recordings
from blocks import RECORDINGS
from cases import Recording
from runtimes import need, recipe

import attn_core as core

MODULES = """
import torch
from torch import nn


class SELayer(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        hidden = channels // reduction
        reduce, expand = nn.Linear(channels, hidden, bias=False), nn.Linear(hidden, channels, bias=False)
        self.fc = nn.Sequential(reduce, nn.ReLU(), expand, nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[..., None, None]


class SpatialGate(nn.Module):
    def __init__(self):
        super().__init__()
        conv, norm = nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, eps=1e-5, momentum=0.01)
        self.spatial = nn.ModuleDict({"conv": conv, "bn": norm})

    def forward(self, x):
        planes = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * self.spatial["bn"](self.spatial["conv"](planes)).sigmoid()


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.idle = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))

    def forward(self, x, theta):
        pooled = nn.functional.max_pool2d(torch.relu(x), 2)
        return x * self.scale[:, None, None] + 0 * self.idle[:, None, None], pooled, theta.sum((1, 2))


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("index", torch.arange(4))


class Random(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x)


class Inverse(nn.Module):
    def forward(self, x):
        return 1 / (x * 0)


class Named(nn.Module):
    def forward(self, x):
        return {"x": x}


class Flipping(nn.Module):
    def forward(self, x):
        return torch.relu(((x * 1e9 + x) - x * 1e9) * 1e9 - x * 1e9) + x
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the file of modules into an empty folder, and go there."""
    need("torch")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "modules.py"
    file.write_text(MODULES)
    return file


def record(*arguments: str, out: str = "case") -> Path:
    """Run the command; return the case folder."""
    from recording.command import main

    main([*arguments, "--out", out])
    return Path(out).resolve()


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the sentence of a command that must write nothing."""
    with pytest.raises(SystemExit) as caught:
        record(*arguments, out="refused")
    assert caught.value.code == 2
    assert not Path("refused").exists()
    return capsys.readouterr().err.splitlines()[-1].removeprefix("record.py: ")


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(
    ("name", "arguments", "block", "dialect", "modes"),
    [
        ("SELayer", "16, reduction=4", core.SqueezeExcitation(16, 4, bias=False), "moskomule.SELayer", ("eval",)),
        ("SpatialGate", "", core.SpatialAttention(norm=True), "jongchan.SpatialGate", ("eval", "train")),
    ],
)
def test_a_recording_judges_a_block(
    name: str,
    arguments: str,
    block: core.Block,
    dialect: str,
    modes: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """By the very tests that judge every block, and they notice another definition."""
    folder = str(record(f"modules.py:{name}", "--args", arguments, "--input", "3,16,7,9"))
    assert "dead (weights without gradient): none\nflips between float32 and float64: none\n" in capsys.readouterr().out
    recording = Recording(folder, block, dialect, modes=modes)
    assert tuple(recording.files[0]["modes"]) == modes
    monkeypatch.setitem(RECORDINGS, folder, recording)
    for mode in modes:
        test_recordings.test_reference(folder, mode)
        for dtype in recording.dtypes:
            test_recordings.test_runtime(folder, mode, "torch", dtype)
    monkeypatch.setattr(core.reference.ops, "sigmoid", lambda x: x)
    with pytest.raises(AssertionError):
        test_recordings.test_reference(folder, modes[0])


@pytest.mark.usefixtures("modules")
def test_several_inputs_and_outputs(capsys: pytest.CaptureFixture[str]):
    shapes = [(2, 3, 6, 6), (2, 2, 3)]
    inputs = [word for shape in shapes for word in ("--input", ",".join(map(str, shape)))]
    folder = record("modules.py:Several", *inputs, "--train", "--note", "of no author", "--seed", "5")
    said = capsys.readouterr().out
    assert "dead (weights without gradient): idle, 3 of 3 rows (eval); idle, 3 of 3 rows (train)\n" in said
    assert "ties: max_pool2d_with_indices, call 1: " in said
    meta, io = recipe().load(folder)
    assert (meta["seed"], meta["dead_rows"], meta["note"]) == (5, 3, "of no author")
    assert meta["gradient_exactly_zero"] == {"eval": ["idle"], "train": ["idle"]}
    images = [array.astype(float) for array in recipe().inputs(meta)]
    assert [array.shape for array in images] == shapes
    scale = recipe().state(meta)["scale"].astype(float)
    cotangents = [array.astype(float) for array in recipe().cotangents(meta)]
    np.testing.assert_array_equal(io["f64/eval/output0"], images[0] * scale[:, None, None])
    np.testing.assert_array_equal(io["f64/train/output2"], images[1].sum((1, 2)))
    np.testing.assert_allclose(io["f64/eval/grad:scale"], (cotangents[0] * images[0]).sum((0, 2, 3)), rtol=1e-12)
    np.testing.assert_array_equal(io["f64/eval/grad:input1"], np.ones(shapes[1]) * cotangents[2][:, None, None])
    assert io["f32/eval/grad:input0"].dtype == np.float32


@pytest.mark.usefixtures("modules")
def test_a_second_run_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]):
    command = ("modules.py:SELayer", "--args", "16, reduction=4", "--input", "2,16,5,4")
    one, other = record(*command), record(*command, out="again/case")
    for name in ("meta.json", "io.npz"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    capsys.readouterr()
    record(*command)
    assert capsys.readouterr().out.endswith("The same recording was there.\n")
    with pytest.raises(SystemExit):
        record(*command, "--seed", "1")
    assert "holds another recording" in capsys.readouterr().err
    record(*command, "--seed", "1", "--replace")
    assert json.loads((one / "meta.json").read_text())["seed"] == 1


def test_an_installed_class_is_named_with_its_version(modules: Path):
    folder = record("torch.nn:Conv2d", "--args", "4, 8, 3", "--input", "2,4,7,7", "--train")
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["repo"] == f"torch {version('torch')} (package)"
    assert (meta["file"], meta["class"]) == ("torch/nn/modules/conv.py", "Conv2d")
    assert meta["args"] == {"in_channels": 4, "out_channels": 8, "kernel_size": 3}
    again = record(f"{modules}:SELayer", "--args", "32", "--input", "2,32,5,4", out="other")
    assert json.loads((again / "meta.json").read_text())["file"] == "modules.py"


@pytest.mark.usefixtures("modules")
def test_flips_are_counted(capsys: pytest.CaptureFixture[str]):
    record("modules.py:Flipping", "--input", "2,3,5,5", "--tries", "1")
    assert "flips between float32 and float64: relu, call 1: " in capsys.readouterr().out


IMAGE = ("--input", "2,4,7,7")
REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no class": (("modules.py:Nobody", *IMAGE), "modules.py has no Nobody."),
    "no module": (("nowhere.at_all:X", *IMAGE), "nowhere.at_all cannot be imported: there is no module nowhere."),
    "no file": (("none.py:X", *IMAGE), "There is no file none.py."),
    "no colon": (("torch.nn", *IMAGE), "'torch.nn' names no module: give package.module:Class or path/file.py:Class."),
    "no literals": (
        ("torch.nn:Conv2d", "--args", "open('x'), 3", *IMAGE),
        '"open(\'x\'), 3" are no arguments: give literals only, as "4, 8, bias=False".',
    ),
    "a trick": (("torch.nn:ReLU", "--args", ") + g(", *IMAGE), "') + g(' are no arguments: give literals only, as"),
    "arguments missing": (
        ("torch.nn:Conv2d", "--args", "4, 8", *IMAGE),
        "Conv2d(4, 8) raises TypeError: Conv2d.__init__() missing 1 required positional argument: 'kernel_size'.",
    ),
    "no torch module": (
        ("builtins:int", *IMAGE),
        "int() is an object of int; give a class of torch.nn.Module.",
    ),
    "another shape": (
        ("torch.nn:Conv2d", "--args", "5, 8, 3", *IMAGE),
        "Conv2d(5, 8, 3) on (2, 4, 7, 7) raises RuntimeError: Given groups=1, weight of size [8, 5, 3, 3], ",
    ),
    "no tensor": (
        ("modules.py:Named", *IMAGE),
        "Named() returns dict; only tensors of real numbers, one or several, are recorded.",
    ),
    "not finite": (
        ("modules.py:Inverse", *IMAGE),
        "Inverse(): output holds NaN or infinity (float32, eval); another shape or --seed may help.",
    ),
    "random": (
        ("modules.py:Random", *IMAGE),
        "Random() is random: output differs from run to run (eval); set its dropout to 0.",
    ),
    "a table": (
        ("modules.py:Table", *IMAGE),
        "index holds 4 different whole numbers, which the recipe cannot make. "
        "Record a subclass that registers it with persistent=False.",
    ),
    "no shape": (("torch.nn:ReLU", "--input", "2,x"), "error: argument --input: '2,x' is no shape: give sizes of at"),
    "no tries": (("torch.nn:ReLU", *IMAGE, "--tries", "0"), "0 tries record nothing: give at least 1."),
}


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str, capsys: pytest.CaptureFixture[str]):
    arguments, sentence = REFUSED[case]
    assert refusal(capsys, *arguments).startswith(sentence)


def test_the_command(modules: Path):
    """As a file that is run from the folder of the project."""
    given = ["torch.nn:Conv2d", "--args", "4, 8, 3", "--input", "2,4,7,7", "--out", str(modules.parent / "conv")]
    command = [sys.executable, "parity_tests/golden/record.py", *given]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("conv: Conv2d(4, 8, 3), eval, seed ")
