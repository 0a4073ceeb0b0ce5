"""The command `attn parity`: tables, reports, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from runtimes import need
from typer.testing import CliRunner, Result

from attn_core.cli import parity as cli_parity
from attn_core.cli.main import main
from attn_core.parity import MissingRuntimeError, matrix
from attn_core.parity.report import from_json

LAYERS = """
import torch
from torch import nn

class SE(nn.Module):
    def __init__(self, channels, activation="relu"):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)
        self.activation = getattr(torch, activation)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(self.activation(self.fc1(x.mean((2, 3), keepdim=True)))))
"""


def attn(*words: str) -> Result:
    return CliRunner().invoke(main, ["parity", *words], env={"COLUMNS": "200"})


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    need("torch")
    (tmp_path / "their_layers.py").write_text(LAYERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "their_layers", raising=False)
    return tmp_path


def test_a_block_that_agrees():
    need("torch")
    done = attn("--blocks", "CBAM", "--runtimes", "torch,definition", "--dtypes", "float32,float16")
    assert done.exit_code == 0, done.output
    assert "All 9 cells agree with the definition." in done.output
    assert "a chance of at most 1e-6 in each comparison" in done.output


def test_a_difference_names_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runtime, block, tensor, index, values, bound, step, and how to see it again; in the reports, too."""
    need("torch")
    need("parity")
    from attn_torch import ops

    own = ops.channel_max
    monkeypatch.setattr(ops, "channel_max", lambda x: own(x) * 1.001)
    paths = {form: str(tmp_path / f"report.{form}") for form in ("json", "junit", "html")}
    options = [word for form, path in paths.items() for word in (f"--{form}", path)]
    done = attn("--blocks", "CBAM(8, 2, 3)", "--blocks", "SqueezeExcitation(8, 2)", "--runtimes", "torch", *options)
    assert done.exit_code == 1
    again = 'attn parity --blocks "CBAM(channels=8, reduction=2, kernel=3)" --runtimes torch'
    for words in ("in torch, float32, eval", "[", "found", "wanted", "bound", "spatial.channel_max (primitive)", again):
        assert words in done.output
    assert "1 of 2 cells fails" in done.output
    report = from_json(Path(paths["json"]).read_text())
    assert [cell.block for cell in report.failures] == ["CBAM"]
    assert report.failures[0].where == "spatial.channel_max (primitive)"
    assert all("spatial.channel_max" in Path(path).read_text() for path in paths.values())


def test_a_missing_runtime(monkeypatch: pytest.MonkeyPatch):
    """Is listed, and an error where it is required; with nothing else, nothing was compared."""

    def runtime(name: str) -> Any:
        raise MissingRuntimeError(f"The runtime {name} cannot be imported.")

    monkeypatch.setattr(matrix, "runtime", runtime)
    monkeypatch.setattr(cli_parity, "runtime", runtime)
    listed = attn("--blocks", "PointwiseGate", "--runtimes", "definition,nnx")
    assert listed.exit_code == 0
    assert "missing: nnx. The runtime nnx cannot be imported." in listed.output
    for words in (["--require", "nnx"], []):
        done = attn("--blocks", "PointwiseGate", "--runtimes", "nnx", *words)
        assert done.exit_code == 2
        assert "cannot be imported" in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--blocks", "CBMA"], "'CBMA' configures no block"),
        (["--runtimes", "pytorch"], "There is no runtime 'pytorch'; there are definition, torch, keras, linen, nnx."),
        (["--dtypes", "fp8"], "There is no dtype 'fp8'"),
        (["--modes", "test"], "There is no mode 'test'"),
        (["--shape", "2,x"], "'2,x' is no shape"),
        (["--blocks", "CBAM(8, 2)", "--shape", "2,7,5,5", "--runtimes", "definition"], "no numbers are pinned"),
        (["--dialect", "timm.SEModule"], "--dialect is about somebody's layer"),
        (["their_layers", "--block", "CBAM(16)"], "'their_layers' names no layer: give module.path:Name"),
        (["--html", "no/such/folder.html"], "no/such"),
    ],
)
def test_what_cannot_be_run_as_asked(words: list[str], sentence: str):
    need("parity")
    done = attn(*words)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_an_image_that_does_not_fit():
    need("torch")
    done = attn("--blocks", "CBAM(8, 2)", "--shape", "2,7,5,5", "--runtimes", "torch", "--modes", "eval")
    assert done.exit_code == 2
    assert "Dense expects 8 features" in done.output


def test_somebodys_layer(layers: Path):
    words = ["--block", "SqueezeExcitation(16, hidden=4)", "--modes", "eval"]
    done = attn("their_layers:SE", "--args", "16", *words, "--dtypes", "float32,float64", "--json", "found.json")
    assert done.exit_code == 0, done.output
    assert "All 2 cells agree" in done.output
    wrong = attn("their_layers:SE", "--args", "16, activation='tanh'", *words)
    assert wrong.exit_code == 1
    assert "The PyTorch module SE is not SqueezeExcitation(channels=16, hidden=4)" in wrong.output
    assert "part ways" in wrong.output
    assert "again: attn parity their_layers:SE --args" in wrong.output
    (cell, _) = from_json((layers / "found.json").read_text()).cells
    assert cell.layer == 'their_layers:SE --args "16"'
