"""A layer by the name that the command is given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runtimes import need

from attn_core.parity import ForeignError
from attn_core.parity.foreign.importing import check_foreign
from attn_core.parity.result import FAILED, PASSED
from attn_core.spec import SpecError

need("torch")
need("nnx")

LAYERS = """
import torch
from torch import nn
from flax import nnx
import jax

class MySE(nn.Module):
    def __init__(self, channels, reduction=16, activation="relu"):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)
        self.activation = getattr(torch.nn.functional, activation)

    def forward(self, x):
        return x * self.fc2(self.activation(self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()

class Nnx(nnx.Module):
    def __init__(self, channels, *, rngs):
        self.fc1 = nnx.Linear(channels, 2, rngs=rngs)
        self.fc2 = nnx.Linear(2, channels, rngs=rngs)

    def __call__(self, x):
        return x * jax.nn.sigmoid(self.fc2(jax.nn.relu(self.fc1(x.mean((1, 2))))))[:, None, None]

class Plain:
    pass

def make(reduction):
    return MySE(8, reduction)

made = make(4)
number = 3
"""
SE = "SqueezeExcitation(channels=8, hidden=2)"
HERE = "my_layers"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a module of layers, and one that cannot be imported."""
    (tmp_path / f"{HERE}.py").write_text(LAYERS)
    (tmp_path / "my_broken.py").write_text("import my_absent")
    (tmp_path / "my_wrong.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "arguments"), [("MySE", "8, reduction=4"), ("make", "4"), ("made", ""), ("Nnx", "channels=8")]
)
def test_layers_by_name(name: str, arguments: str):
    (cell,) = check_foreign(f"{HERE}:{name}", SE, arguments=arguments, shape=(1, 8, 3, 3), draws=1)
    assert (cell.status, cell.text, cell.dtype) == (PASSED, SE, "float32")


def test_a_cell_says_how_to_run_it_again():
    options = {"arguments": "8, 4, 'silu'", "dialect": "timm.SEModule", "shape": (1, 8, 3, 3), "seed": 2, "draws": 2}
    (cell,) = check_foreign(f"{HERE}:MySE", SE, **options)
    assert cell.status == FAILED
    assert cell.where == "expand" or cell.where == "relu"
    assert cell.command == (
        "attn parity my_layers:MySE --args \"8, 4, 'silu'\" --dialect timm.SEModule "
        '--block "SqueezeExcitation(channels=8, hidden=2)" --dtypes float32 --modes eval --shape 1,8,3,3 --seed 2 '
        "--draws 2"
    )
    again = check_foreign(f"{HERE}:MySE", SE, **options)
    assert again[0].tensors == cell.tensors


def test_the_block_can_be_told_by_the_arrays():
    assert check_foreign(f"{HERE}:made", shape=(1, 8, 3, 3), draws=1)[0].text == SE
    assert check_foreign(f"{HERE}:made", dialect="timm.SEModule", shape=(1, 8, 3, 3), draws=1)[0].text == SE


REFUSED = {
    "no colon": ("my_layers.MySE", "", "'my_layers.MySE' names no layer: give module.path:Name, as my_package.layers:"),
    "no module": ("my_layer:MySE", "", "There is no module my_layer here, in "),
    "no package": ("my_layer.sub:MySE", "", "There is no module my_layer.sub here, in "),
    "a broken module": ("my_broken:MySE", "", "my_broken cannot be imported: No module named 'my_absent'."),
    "a wrong module": ("my_wrong:MySE", "", "my_wrong cannot be imported: ZeroDivisionError: division by zero."),
    "no name": ("my_layers:SE", "", "my_layers has no SE."),
    "no layer": ("my_layers:number", "", "my_layers:number is an object of int, no layer of a known framework."),
    "another class": (
        "my_layers:Plain",
        "",
        "my_layers:Plain is a class of no known framework: no nn.Module, Keras layer, or Flax module.",
    ),
    "no arguments": (
        "my_layers:MySE",
        "",
        "my_layers:MySE() cannot be made: TypeError: MySE.__init__() missing 1 required positional argument: ",
    ),
    "wrong arguments": (
        "my_layers:MySE",
        "8, open('x')",
        "\"8, open('x')\" are no arguments: give numbers, texts, True, False or None, as 64, reduction=16.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str):
    path, arguments, message = REFUSED[case]
    with pytest.raises(ForeignError, match=f"^{re.escape(message)}"):
        check_foreign(path, SE, arguments=arguments)


def test_refusals_without_a_block():
    with pytest.raises(ForeignError, match=r"^Name the block, as --block 'SqueezeExcitation\(channels=64\)', or give "):
        check_foreign(f"{HERE}:made")
    with pytest.raises(SpecError, match="configures no block"):
        check_foreign(f"{HERE}:made", "SqueezeExitation(8)")
