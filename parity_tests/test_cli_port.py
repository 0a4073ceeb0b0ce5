"""What `attn port` prints and leaves on the disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from runtimes import GOLDEN, need
from terminal import ALONE, NET, SE, Attn, refusal

import attn_core as core
from attn_core import tf1
from attn_core.porting.tf1 import Findings

TABLE = """\
Read: checkpoint with graph model.ckpt-200.meta: 4 blocks found.
note: left aside as optimizer slots and counters: 127 (Adam, Adam_1, beta1_power, beta2_power, global_step)
┏━━━━━━━━━┳━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━┓
┃ block   ┃ layers           ┃ channels ┃ hidden ┃ reference ┃ recorded ┃
┡━━━━━━━━━╇━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━┩
│ dense   │ dense, dense_1   │       16 │      1 │     ERROR │    ERROR │
│ dense_2 │ dense_2, dense_3 │       32 │      2 │     ERROR │    ERROR │
│ dense_4 │ dense_4, dense_5 │       32 │      2 │     ERROR │    ERROR │
│ dense_6 │ dense_6, dense_7 │       40 │      2 │     ERROR │    ERROR │
└─────────┴──────────────────┴──────────┴────────┴───────────┴──────────┘
reference: largest error in torch against the float64 reference, on a random image.
recorded: largest error in torch against io.npz.
Errors are absolute, or relative to an array's largest value if above 1; bound 1e-05 (!: beyond).
4 blocks written to out, with port.json; all errors within 1e-05.
Load one: attn_torch.load('out/dense.safetensors')
"""


@pytest.mark.parametrize("columns", [80, 120])
def test_port(attn: Attn, columns: int):
    shutil.copy(NET / "io.npz", "io.npz")
    args = (NET / "model.ckpt-200", "--to", "torch", "--out", "out", "--io", "io.npz")
    code, stdout, stderr = attn("port", "--blocks", *args, columns=columns)
    assert (code, stderr) == (0, "")
    assert re.sub(r"  \d\.\de-0[78] ", "    ERROR ", stdout) == TABLE
    assert sorted(os.listdir("out")) == [*(f"dense{n}.safetensors" for n in ("", "_2", "_4", "_6")), "port.json"]


@pytest.mark.parametrize("target", ["torch", "linen", "nnx"])
def test_target(attn: Attn, target: str):
    need(target)
    args = (SE / "model.ckpt", "--to", target, "--out", "deep/out/", "--io", SE / "io.npz")
    code, stdout, stderr = attn("port", "--blocks", *args)
    assert (code, stderr) == (0, "")
    module = {"torch": "attn_torch", "linen": "attn_jax.linen", "nnx": "attn_jax.nnx"}[target]
    assert stdout.endswith(f"Load one: {module}.load('deep/out/dense.safetensors')\n")
    assert_loads_like_the_checkpoint(module, "deep/out/dense.safetensors")


def assert_loads_like_the_checkpoint(module: str, file: str) -> None:
    backend = import_module(module)
    (found,) = tf1.find_blocks(SE / "model.ckpt")
    for name, array in backend.weights(backend.load(file)).items():
        assert array.tobytes() == found.weights[name].tobytes()


def test_keras_in_a_process_of_its_own(tmp_path: Path):
    """A real terminal command, piped: plain text where the terminal has ASCII only."""
    need("keras-tensorflow")
    command = [
        sys.executable,
        "-c",
        "from attn_core.cli.main import main; main()",
        "port",
        "--blocks",
        str(SE / "model.ckpt"),
    ]
    load = (
        "import attn_tf\nfrom attn_core import load\n"
        "ours = attn_tf.weights(attn_tf.load('öut/dense.safetensors'))\n"
        "assert {n: a.tobytes() for n, a in load('öut/dense.safetensors')[1].items()} == "
        "{n: a.tobytes() for n, a in ours.items()}"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "KERAS_", "COLUMNS"))}
    env |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    options = ["--to", "keras", "--out", "öut", "--io", str(SE / "io.npz")]
    done = subprocess.run([*command, *options], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # TensorFlow announces oneDNN before its log level counts, and nothing else.
    assert {line[:1] for line in done.stderr.splitlines()} <= {"W", "I"}
    assert done.stdout.isascii()
    assert done.stdout.endswith("Load one: attn_tf.load('\\xf6ut/dense.safetensors')\n")
    assert sorted(os.listdir(tmp_path / "öut")) == ["dense.safetensors", "port.json"]
    (found,) = tf1.find_blocks(SE / "model.ckpt")
    weights = core.load(tmp_path / "öut" / "dense.safetensors")[1]
    assert all(weights[name].tobytes() == array.tobytes() for name, array in found.weights.items())
    subprocess.run([sys.executable, "-c", load], cwd=tmp_path, env=env, check=True, capture_output=True)


def test_earlier_output_is_replaced_whole(attn: Attn):
    assert attn("port", "--blocks", NET / "frozen.pb", "--to", "torch", "--out", "out")[0] == 0
    code, stdout, _ = attn("port", "--blocks", ALONE, "--to", "torch", "--out", "out")
    assert code == 0
    assert "No recorded activations: see --io." in stdout
    assert "1 block written to out, with port.json; all errors within 1e-05." in stdout
    assert sorted(os.listdir("out")) == ["dense.safetensors", "port.json"]


def test_moving_averages(attn: Attn):
    """Recorded with the raw variables: the averages, which are the default, cannot reproduce it."""
    folder = GOLDEN / "tf1_blocks" / "training_graph"
    args = (folder / "model.ckpt", "--to", "torch", "--out", "out", "--io", folder / "io.npz")
    assert refusal(attn, 1, *args) == (
        "2 of 2 blocks beyond the bound, nothing was written: dense, dense_2. "
        "Were the activations recorded without moving averages? Try --no-averages."
    )
    assert attn("port", "--blocks", *args, "--no-averages")[0] == 0


def test_long_names_are_whole_in_80_columns(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    name = "efficientnet_b0/stage_with_a_long_name/block_17/squeeze_excite"
    variables = {n: f"{name}/{'a' if n.startswith('reduce') else 'b'}_layer/kernel" for n in core_weights()}
    monkeypatch.setattr(tf1, "find_blocks", lambda *_, **__: findings(name, variables))
    code, stdout, _ = attn("port", "--blocks", "x", "--to", "torch", "--out", "out")
    assert code == 0
    rows = [line.split("│") for line in stdout.splitlines() if line.startswith("│")]
    assert max(map(len, stdout.splitlines()[1:8])) <= 80
    assert "".join(row[1].strip() for row in rows) == name
    assert "".join(row[2].strip() for row in rows) == "a_layer, b_layer"


def core_weights() -> dict[str, np.ndarray]:
    return core.initialise(core.SqueezeExcitation(4, 2))


def findings(name: str, variables: dict[str, str] | None = None) -> Findings:
    weights = {key: array + np.float32(0.3) for key, array in core_weights().items()}
    names = variables or {key: f"{name}/{key}" for key in weights}
    return Findings((tf1.FoundBlock(name, core.SqueezeExcitation(4, 2), weights, names),), "a test")


def test_names_cannot_command_the_terminal(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    """Nor be taken for markup or emoji, nor make lines of their own."""
    name = "\x1b[31m[bold]:smile:\nattn: fine\x07"
    monkeypatch.setattr(tf1, "find_blocks", lambda *_, **__: findings(name, notes_with(name)))
    code, stdout, _ = attn("port", "--blocks", "x", "--to", "torch", "--out", "out", columns=200)
    assert code == 0
    assert not {"\x1b", "\x07"} & set(stdout)
    assert r"│ \x1b[31m[bold]:smile:\nattn: fine\x07 │" in stdout


def notes_with(name: str) -> dict[str, str]:
    return {key: f"{name}/{key}" for key in core_weights()}
