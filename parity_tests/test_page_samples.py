"""Samples on the pages that have no test of their own run as they stand, in a folder with the files that they name."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from runtimes import need
from terminal import NET, Attn

import attn_core as core

DOCS = Path(__file__).parent.parent / "docs"


def samples(page: str, language: str = "python") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Return the arguments of each command `attn` on a page."""
    lines = "".join(samples(page, "sh")).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("attn ")]


def run(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(compile(text, "sample", "exec"), found)
    return found


def apart(text: str) -> str:
    """Run it in a process of its own; return what it prints."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder where samples run, with a checkpoint and a frozen graph."""
    for path in (*NET.glob("model.ckpt*"), NET / "frozen.pb"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_tf1_files_are_read_and_run(network: Path):
    record, read, evaluate, graph, keras = samples("tf1.md")
    assert "session.run" in record  # which needs TensorFlow 1
    assert len(run(read)["found"]) == 4
    assert run(evaluate)["logits"].shape == (2, 10)
    assert "placeholder" in graph  # see the next tests
    assert "se_block(bottom" in keras


def test_old_call_in_a_graph(network: Path):
    need("keras-tensorflow")
    *_, sample, _ = samples("tf1.md")
    assert apart(f"{sample}\nprint(gates.shape)") == "(2, 1, 1, 16)"


def test_old_call_on_keras_3():
    need("keras-tensorflow")
    *_, sample = samples("tf1.md")
    assert apart(f"{sample}\nprint(top.shape)") == "(None, None, None, 64)"


def test_blocks_are_ported(network: Path, attn: Attn):
    need("torch")
    (command,) = commands("tf1.md")
    code, _, stderr = attn(*command)
    assert code == 0, stderr
    assert len(list((network / "ported").glob("*.safetensors"))) == 4


def test_network_is_ported_and_loaded(network: Path, attn: Attn):
    need("torch")
    (command,) = commands("porting.md")
    code, _, stderr = attn(*command)
    assert code == 0, stderr
    (sample,) = [text for text in samples("porting.md") if "load()" in text]
    assert apart(f"{sample}\nprint(network.training)") == "False"


def test_reports_are_written_and_read(tmp_path: Path, attn: Attn):
    need("torch")
    need("parity")
    (command,) = commands("parity_report.md")
    code, _, stderr = attn(*command)
    assert code == 0, stderr
    (sample,) = samples("parity_report.md")
    run(sample)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"out.json", "out.xml", "report.html", "again.xml", "again.html"}


def test_design_shows_a_real_block():
    """But for annotations and docstrings."""
    shown, *_ = samples("design.md")
    for function in ast.parse(shown).body:
        real = textwrap.dedent(inspect.getsource(getattr(core.EffectiveSqueezeExcitation, function.name)))
        (found,) = ast.parse(real).body
        assert [ast.unparse(line) for line in function.body] == [ast.unparse(line) for line in found.body[1:]]
