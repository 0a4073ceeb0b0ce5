"""Native classes are what the command writes from the blocks' files; what it writes for a new block works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from blocks import MODULES
from runtimes import need
from scaffold import cases_file
from scaffold.files import ROOT, by_hand, difference, every_block, files_of, formatted

PACKAGES = ("attn_core", "attn_torch", "attn_tf", "attn_jax", "parity_tests/scaffold")
FILES = ("pyproject.toml", *(f"parity_tests/{name}.py" for name in ("new_block", "cases", "runtimes")))
WRITTEN = [
    "attn_torch/blocks/tiny_gate.py",
    "attn_tf/blocks/tiny_gate.py",
    "attn_jax/linen/blocks/tiny_gate.py",
    "attn_jax/nnx/blocks/tiny_gate.py",
    "parity_tests/blocks/tiny_gate.py",
    "attn_core/blocks/__init__.py",
    "attn_torch/blocks/__init__.py",
    "attn_tf/blocks/__init__.py",
    "attn_jax/linen/blocks/__init__.py",
    "attn_jax/nnx/blocks/__init__.py",
]
BLOCK = r'''"""Nobody: Nothing. 2026."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts
from attn_core.spec.parts import Dense
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Slope = float | int


@dataclass(frozen=True, repr=False)
class TinyGate(Block):
    r"""Scale each channel by a gate of the means of all channels and of another input.

    **In short**: x * sigmoid(W mean(x) + b + shift)

    .. math::
        y = \sigma(W \, \mathrm{mean}(x) + b + t) \odot x

    **Shape**: image (batch, channels, \*space) and shift (batch, channels) to the same shape.

    **Fields**: ``channels``; ``bias``, whether the layer has one; ``slope`` without effect.
    """

    source: ClassVar[str] = "Nobody: Nothing. 2026"
    inputs: ClassVar[tuple[str, ...]] = ("input", "shift")

    channels: int
    slope: Slope = 0.5
    _: KW_ONLY
    bias: bool = True

    def parts(self) -> dict[str, Part | Block]:
        """Return `weigh`."""
        return {"weigh": Dense(self.channels, self.channels, bias=self.bias)}

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of an image and a shift."""
        return (1, self.channels, 8, 8), (1, self.channels)

    def forward(self, f: Primitives[T], p: Parts, x: T, shift: T) -> T:
        """Compute y."""
        return f.scale(x, f.sigmoid(f.add(p.weigh(f.global_mean(x)), shift)))
'''
COMPUTES = """
import importlib, sys
import numpy as np
from attn_core import parity

sys.path.append("parity_tests")
case = importlib.import_module("blocks.tiny_gate").CASES["tiny_gate"]
expected = case.expected().arrays()
for runtime in ("torch", "keras", "linen", "nnx"):
    found = parity.runtime(runtime).run(case.block, case.weights, case.inputs, case.cotangent).arrays()
    assert found.keys() == expected.keys()
    assert max(abs(found[name] - expected[name]).max() for name in expected) < 1e-5, runtime
"""


@cache
def wanted() -> dict[Path, str]:
    return files_of(every_block())


@pytest.mark.parametrize("block", every_block(), ids=lambda block: block.file)
def test_files_are_what_would_be_written(block):
    """Where a file must differ, it says why: `# By hand: <reason>`."""
    own = {path: text for path, text in wanted().items() if path.stem in (block.file, "__init__")}
    different = "".join(difference(path, text) for path, text in own.items())
    assert not different, f"{different}\nRun python parity_tests/new_block.py {block.file} --force"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.BLOCK.__name__)
def test_nothing_is_left_to_fill_in(module):
    left = "\n".join(getattr(module, "TO_FILL_IN", ()))
    assert not left, f"{Path(module.__file__).name} must still be filled in:\n{left}"


def test_a_reason_is_needed():
    assert by_hand('"""A file."""\n\n# By hand: two calls in one.\n') == "two calls in one."
    assert by_hand("# By hand: \n") == by_hand("x = 1\n") == ""


def test_lines_of_a_file_of_cases_are_not_too_long():
    """However long the name of its block is."""
    texts = formatted({ROOT / f"{block.file}.py": cases_file.write(block) for block in every_block()})
    lines = [line for text in texts.values() for line in text.splitlines()]
    assert max(map(len, lines)) <= 120


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what the command reads and writes, with a new block."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "parity_tests/blocks").mkdir()
    (tmp_path / "attn_core/blocks/tiny_gate.py").write_text(BLOCK)
    return tmp_path


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(tree), "KERAS_BACKEND": "torch"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, env=environment)


def new_block(tree: Path, *arguments: str) -> tuple[int, list[str]]:
    done = python(tree, "parity_tests/new_block.py", *arguments)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_new_block(tree: Path):
    """What is written is formatted, computes what the reference does, and is not written again."""
    for runtime in ("torch", "keras-torch", "nnx"):
        need(runtime)
    written = [f"wrote {name}" for name in WRITTEN]
    assert new_block(tree, "tiny_gate") == (0, [*written, "10 files, 0 of them not as they should be."])
    assert new_block(tree, "tiny_gate") == (0, ["9 files, 0 of them not as they should be."])
    for check in (["check"], ["format", "--check"]):
        done = python(tree, "-m", "ruff", *check, "--no-cache", *WRITTEN)
        assert done.returncode == 0, done.stdout
    done = python(tree, "-c", COMPUTES)
    assert done.returncode == 0, done.stderr
    cases = (tree / "parity_tests/blocks/tiny_gate.py").read_text()
    assert "TO_FILL_IN = (\n" in cases
    assert all(f"\n{name} = {{}}\n" in cases for name in ("EXPRESSIBLE", "REFUSED", "RESOLVED"))


def test_what_differs_stays(tree: Path):
    """Unless one insists; a file that says why it is written by hand stays always."""
    new_block(tree, "tiny_gate")
    path = tree / "attn_torch/blocks/tiny_gate.py"
    text = path.read_text()
    path.write_text(text.replace("slope: Slope = 0.5", "slope: Slope = 2.0"))
    status, lines = new_block(tree, "tiny_gate")
    assert status == 1
    assert "-        slope: Slope = 2.0," in lines
    assert lines[-2] == "attn_torch/blocks/tiny_gate.py differs and stays: --force writes over it."
    assert new_block(tree, "tiny_gate", "--check")[0] == 1
    assert new_block(tree, "tiny_gate", "--force")[1][0] == "wrote attn_torch/blocks/tiny_gate.py"
    assert path.read_text() == text
    path.write_text(f"# By hand: a reason.\n{text}\n")
    assert new_block(tree, "tiny_gate", "--force") == (0, ["9 files, 0 of them not as they should be."])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tiny_gait",
            "There is no attn_core/blocks/tiny_gait.py; write it first, or did you mean: tiny_gate, attention_gate?",
        ),
        ("bottleneck", "attn_core.blocks.bottleneck: Bottleneck has no `source`, the paper that it comes from."),
        ("convolution", "attn_core.blocks.convolution: the block's class must be called as its file, in CamelCase."),
    ],
)
def test_refusals(tree: Path, name: str, message: str):
    done = python(tree, "parity_tests/new_block.py", name)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"new_block.py: error: {message}"
