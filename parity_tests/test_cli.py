"""The command `attn` as its user meets it: what it prints, how it ends, and what is then on the disk."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from runtimes import GOLDEN, need
from typer.testing import CliRunner

import attn_core as core
from attn_core import parity, tf1
from attn_core.cli import main
from attn_core.registry import KNOWN, NAMED
from attn_core.tf1 import Findings

NET = GOLDEN / "tf1" / "res_block2_net"
SE = GOLDEN / "tf1" / "se_block"
ALONE = SE / "frozen.pb"

Attn = Callable[..., tuple[int, str, str]]


@pytest.fixture
def attn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attn:
    """Run the command in an empty folder; returns its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def run(*args: object, columns: int = 80) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [str(arg) for arg in args], env={"COLUMNS": str(columns)})
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def refusal(attn: Attn, code: int, *args: object) -> str:
    """Return the one sentence of a port that must not write anything."""
    before = sorted(os.listdir())
    found, stdout, stderr = attn("port", *args)
    assert found == code, stderr
    assert sorted(os.listdir()) == before
    assert "Traceback" not in stdout + stderr
    assert stderr.startswith("attn: ")
    assert stderr.endswith((".\n", "?\n", "'\n"))
    assert stderr.count("\n") == 1
    return stderr.removeprefix("attn: ").rstrip("\n")


# ---- port: what works ------------------------------------------------------------------------------------------------

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
    code, stdout, stderr = attn("port", *args, columns=columns)
    assert (code, stderr) == (0, "")
    assert re.sub(r"  \d\.\de-0[78] ", "    ERROR ", stdout) == TABLE
    assert sorted(os.listdir("out")) == [*(f"dense{n}.safetensors" for n in ("", "_2", "_4", "_6")), "port.json"]


@pytest.mark.parametrize("target", ["torch", "linen", "nnx"])
def test_target(attn: Attn, target: str):
    need(target)
    args = (SE / "model.ckpt", "--to", target, "--out", "deep/out/", "--io", SE / "io.npz")
    code, stdout, stderr = attn("port", *args)
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
    command = [sys.executable, "-c", "from attn_core.cli import main; main()", "port", str(SE / "model.ckpt")]
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
    assert attn("port", NET / "frozen.pb", "--to", "torch", "--out", "out")[0] == 0
    code, stdout, _ = attn("port", ALONE, "--to", "torch", "--out", "out")
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
    assert attn("port", *args, "--no-averages")[0] == 0


def test_long_names_are_whole_in_80_columns(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    name = "efficientnet_b0/stage_with_a_long_name/block_17/squeeze_excite"
    variables = {n: f"{name}/{'a' if n.startswith('reduce') else 'b'}_layer/kernel" for n in core_weights()}
    monkeypatch.setattr(tf1, "find_blocks", lambda *_, **__: findings(name, variables))
    code, stdout, _ = attn("port", "x", "--to", "torch", "--out", "out")
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
    code, stdout, _ = attn("port", "x", "--to", "torch", "--out", "out", columns=200)
    assert code == 0
    assert not {"\x1b", "\x07"} & set(stdout)
    assert r"│ \x1b[31m[bold]:smile:\nattn: fine\x07 │" in stdout


def notes_with(name: str) -> dict[str, str]:
    return {key: f"{name}/{key}" for key in core_weights()}


# ---- port: what does not ---------------------------------------------------------------------------------------------


def test_checks_that_fail(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    """A framework that computes wrongly: exit code 1, the errors are shown and an earlier output is as it was."""
    assert attn("port", ALONE, "--to", "torch", "--out", "out")[0] == 0
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    right = parity.runtime("torch")

    def run(*args: Any, **options: Any) -> parity.Outcome:
        outcome = right.run(*args, **options)
        return dataclasses.replace(outcome, output=outcome.output + 1e-3)

    monkeypatch.setattr(parity, "runtime", lambda name: SimpleNamespace(run=run))
    code, stdout, stderr = attn("port", NET / "frozen.pb", "--to", "torch", "--out", "out")
    assert code == 1
    assert re.findall(r"│ +(\d\.\de-0\d) ! │", stdout) == re.findall(r"│ +(\d\S+) ! │", stdout)
    assert stdout.count(" ! │") == 4
    names = "dense, dense_2, dense_4, dense_6"
    assert stderr == f"attn: 4 of 4 blocks beyond the bound, nothing was written: {names}.\n"
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == before
    assert refusal(attn, 1, ALONE, "--to", "torch", "--out", "new") == (
        "1 of 1 block beyond the bound, nothing was written: dense."
    )


def test_recording_that_differs(attn: Attn):
    with np.load(SE / "io.npz") as file:
        arrays = {name: file[name] for name in ("se0_in", "se0_gate", "se0_out")}
    np.savez("io.npz", **arrays | {"se0_gate": arrays["se0_gate"] + 1e-3})
    sentence = "1 of 1 block beyond the bound, nothing was written: dense."
    assert refusal(attn, 1, ALONE, "--to", "torch", "--out", "out", "--io", "io.npz") == sentence


def test_no_block(attn: Attn):
    args = (GOLDEN / "tf1_blocks" / "decoys" / "frozen.pb", "--to", "torch", "--out", "out")
    sentence = "no squeeze-and-excitation block was found; nothing was written."
    assert refusal(attn, 1, *args) == sentence
    assert refusal(attn, 1, *args, "--io", "missing") == sentence
    stdout = attn("port", *args)[1]
    assert stdout.startswith("Read: frozen graph frozen.pb: 0 blocks found.\nundecided, not ported: '")


def test_missing_framework(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "attn_torch.runtime", None)
    assert refusal(attn, 2, ALONE, "--to", "torch", "--out", "out") == (
        "The runtime torch cannot be imported (import of attn_torch.runtime halted; None in sys.modules). "
        "Install it: pip install 'attn-blocks[torch]'"
    )


NO_TABLE = "{} is cut short or not a TensorFlow checkpoint: it does not end in a table's magic number."
NO_GRAPH = "{} is damaged or no TensorFlow graph: it reads neither as a .meta nor as a frozen graph or SavedModel."
NOTHING = (
    "{} is no checkpoint: give a prefix such as model.ckpt-200 (beside its .index file), a V1 file, "
    "a SavedModel folder, or a folder with TensorFlow's file 'checkpoint'."
)
FOREIGN = {
    "empty": (b"", NO_TABLE),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(64), NO_TABLE),
    "text": (b"hello\n", NO_TABLE),
    "archive.zip": (b"PK\x05\x06" + bytes(18), NO_TABLE),
    "pickle.pkl": (b"\x80\x04}\x94.", NO_TABLE),
    "picture.pb": (b"\x89PNG\r\n\x1a\n" + bytes(64), NO_GRAPH),
    "cut.pb": (ALONE.read_bytes()[:300], NO_GRAPH),
    "empty.pb": (b"", "{} is no TensorFlow graph: it has 0 bytes."),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_checkpoint(attn: Attn, name: str):
    content, sentence = FOREIGN[name]
    Path(name).write_bytes(content)
    assert refusal(attn, 2, name, "--to", "torch", "--out", "out") == sentence.format(name)


def test_no_checkpoint(attn: Attn):
    os.mkfifo("pipe")
    Path("folder").mkdir()
    for name in ("missing", "folder", "pipe", "/dev/zero"):
        assert refusal(attn, 2, name, "--to", "torch", "--out", "out") == NOTHING.format(name)


@pytest.mark.parametrize("file", ["model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.ckpt.meta"])
@pytest.mark.parametrize("damage", ["cut", "empty"])
def test_damaged_checkpoint(attn: Attn, file: str, damage: str):
    for path in SE.glob("model.ckpt*"):
        shutil.copy(path, path.name)
    Path(file).write_bytes(Path(file).read_bytes()[:-700] if damage == "cut" else b"")
    assert file in refusal(attn, 2, "model.ckpt", "--to", "torch", "--out", "out")


def test_flipped_bit(attn: Attn):
    for path in SE.glob("model.ckpt*"):
        shutil.copy(path, path.name)
    data = bytearray(Path("model.ckpt.data-00000-of-00001").read_bytes())
    data[len(data) // 2] ^= 4
    Path("model.ckpt.data-00000-of-00001").write_bytes(data)
    sentence = refusal(attn, 2, "model.ckpt", "--to", "torch", "--out", "out")
    assert sentence.startswith("model.ckpt.data-00000-of-00001 is damaged")


def test_wrong_recording(attn: Attn):
    args = (ALONE, "--to", "torch", "--out", "out", "--io")
    np.save("one.npy", np.zeros(3))
    assert refusal(attn, 2, *args, "one.npy") == "one.npy is cut short or no .npz file (File is not a zip file)."
    assert refusal(attn, 2, *args, "gone") == "gone is no file; give the .npz file of the recorded activations."
    assert refusal(attn, 2, *args, NET / "io.npz") == (
        f"{NET / 'io.npz'} must record blocks 0 to 0, one for each block found, as se0_in, se0_gate, se0_out, ...; "
        "it holds: 0, 1, 2, 3."
    )


def test_output_that_cannot_be_replaced(attn: Attn):
    Path("file").write_text("precious")
    Path("full").mkdir()
    Path("full/thesis.tex").write_text("precious")
    args = (ALONE, "--to", "torch", "--out")
    current = ". is the current folder or a mount point, which cannot be replaced: give a folder inside it."
    foreign = "full holds 'thesis.tex', which this command did not write: empty it or give another folder."
    assert refusal(attn, 2, *args, "full") == foreign
    assert refusal(attn, 2, *args, "file") == "file is no folder; give a folder for the output."
    assert refusal(attn, 2, *args, "file/out") == "file is no folder; give a folder for the output."
    assert refusal(attn, 2, *args, ".") == refusal(attn, 2, *args, "") == current
    assert Path("full/thesis.tex").read_text() == Path("file").read_text() == "precious"


def test_output_is_looked_at_before_anything_is_read(attn: Attn):
    Path("file").touch()
    assert refusal(attn, 2, "missing", "--to", "torch", "--out", "file").startswith("file is no folder")


def test_full_disk_and_interrupt(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    def failing(error: BaseException) -> Callable[..., None]:
        def save(path: Path, *_: object) -> None:
            path.write_bytes(b"half")
            raise error

        return save

    args = (ALONE, "--to", "torch", "--out", "out")
    monkeypatch.setattr("attn_core.weights.save", failing(OSError(28, "No space left on device", "half")))
    assert refusal(attn, 2, *args) == "out: No space left on device."
    monkeypatch.setattr("attn_core.weights.save", failing(KeyboardInterrupt()))
    assert attn("port", *args)[0] == 130
    assert os.listdir() == []


def test_wrong_options(attn: Attn):
    for args in ((ALONE, "--to", "caffe", "--out", "out"), (ALONE, "--to", "torch"), (ALONE, "--out", "out"), ()):
        code, _, stderr = attn("port", *args)
        assert (code, os.listdir()) == (2, [])
        assert "Usage: " in stderr


# ---- list, show, bench -----------------------------------------------------------------------------------------------


def test_list(attn: Attn):
    code, stdout, stderr = attn("list", columns=300)
    assert (code, stderr) == (0, "")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in stdout.splitlines() if line.startswith("│")]
    assert [name for name, _, _ in cells] == list(KNOWN)
    assert cells[0][1:] == ["channels, reduction, hidden, bias, activation, gate", core.SqueezeExcitation.source]
    assert all(source for _, _, source in cells)


SHOWN = """\
SqueezeExcitation(channels=64, reduction=16)
Hu, Shen, Sun: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507

y = x * sigmoid(expand.weight @ relu(reduce.weight @ mean(x) + reduce.bias) + expand.bias)

┏━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ field      ┃ value     ┃
┡━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ channels   │ 64        │
│ reduction  │ 16        │
│ hidden     │ None      │
│ bias       │ True      │
│ activation │ 'relu'    │
│ gate       │ 'sigmoid' │
└────────────┴───────────┘
┏━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ weights       ┃ shape   ┃ start                             ┃
┡━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ reduce.weight │ (4, 64) │ normal, std 0.2016, cut at 0.4031 │
│ reduce.bias   │ (4,)    │ 0                                 │
│ expand.weight │ (64, 4) │ normal, std 0.8062, cut at 1.612  │
│ expand.bias   │ (64,)   │ 0                                 │
└───────────────┴─────────┴───────────────────────────────────┘
580 parameters
on 1x64x32x32: 512 multiply-adds, 790,352 bytes moved in float32
"""


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("text", ["SqueezeExcitation", "SqueezeExcitation(64)", " SqueezeExcitation( channels = 64 ) "])
def test_show(attn: Attn, text: str, columns: int):
    assert attn("show", text, columns=columns) == (0, SHOWN, "")


def test_show_cost_of_an_input(attn: Attn):
    """Worked out by hand for 2 samples of 16 channels and 35 pixels, 4 hidden units, no biases.

    Read: the image twice. Written: the product. Vectors of 16, 4, 4, 16 and 16 numbers for each sample, of which
    all but the gate are written and read; the weights.
    """
    code, stdout, _ = attn("show", "SqueezeExcitation(16, 4, bias=False)", "--input", "2,16,7,5")
    vectors = 2 * (16 + 16 + 4 + 4 + 4 + 4 + 16 + 16 + 16 + 16)
    moved = 4 * (3 * 2 * 16 * 35 + vectors + 2 * 64)
    assert code == 0
    assert f"on 2x16x7x5: {2 * 2 * 64} multiply-adds, {moved:,} bytes moved in float32" in stdout


@pytest.mark.parametrize("text", ["2,16", "16", "2,8,7,5"])
def test_show_impossible_input(attn: Attn, text: str):
    code, stdout, stderr = attn("show", "SqueezeExcitation(16, 4)", "--input", text)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("text", ["", "a", "2,0,3", "2x3x4"])
def test_show_no_shape(attn: Attn, text: str):
    code, stdout, stderr = attn("show", "SqueezeExcitation(16, 4)", "--input", text)
    assert (code, stdout) == (2, "")
    assert stderr == f"attn: {text!r} is no shape: give sizes of at least 1, as 8,64,56,56.\n"


@pytest.mark.parametrize("name", NAMED)
def test_show_every_block(attn: Attn, name: str):
    code, stdout, stderr = attn("show", name)
    assert (code, stderr) == (0, "")
    assert "y = " in stdout
    assert "multiply-adds" in stdout


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("se", "'se' "),
        ("", "'' "),
        ("SqueezeExcitation(", "'SqueezeExcitation(' configures no block: "),
        ("SqueezeExcitation()", "'SqueezeExcitation()' configures no block: "),
        ("SqueezeExcitation(8)", "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: "),
        ("__import__('os').system('x')", '"__import__'),
    ],
)
def test_show_no_block(attn: Attn, text: str, start: str):
    code, stdout, stderr = attn("show", text)
    assert (code, stdout) == (2, "")
    assert stderr.startswith(f"attn: {start}")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["SqueezeExcitation(1" + "0" * 400 + ")", "SqueezeExcitation(x)", "a" + "(" * 9999])
def test_show_nonsense(attn: Attn, text: str):
    code, stdout, stderr = attn("show", text)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)


def test_bench(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    need("torch")
    from attn_torch import bench

    seen: list[tuple[int, int]] = []
    rows = [
        bench.Row((8, 256, 56, 56), mode, 0.123456, 0.1, 1.0512, (1.0, 1.1))
        for mode in ("forward", "forward + backward")
    ]
    monkeypatch.setattr(bench, "compare", lambda *options: seen.append(options) or iter(rows))
    code, stdout, stderr = attn("bench", "--rounds", 5)
    assert (code, stderr) == (0, "")
    assert attn("bench", "--threads", 2)[1].split("\n")[0].strip() == "SqueezeExcitation, median times, 2 threads"
    assert seen == [(5, 1), (41, 2)]
    assert "│ 8x256x56x56 │ forward    │ 123,456 │  100,000 │ 1.051 │ 1.000 to 1.100 │" in stdout
    assert "│ 8x256x56x56 │ + backward │ 123,456 │  100,000 │ 1.051 │ 1.000 to 1.100 │" in stdout
    assert max(map(len, stdout.splitlines())) <= 80


def test_bench_compares_equals(monkeypatch: pytest.MonkeyPatch):
    """The rival computes the same, and both are timed in each mode."""
    need("torch")
    import torch

    from attn_torch import bench

    before = torch.get_num_threads()
    monkeypatch.setattr(bench, "SHAPES", ((1, 16, 3, 2),))
    monkeypatch.setattr(bench, "SLICE", 1e-4)
    rows = list(bench.compare(rounds=4, threads=1))
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)
    assert [row.mode for row in rows] == ["forward", "forward + backward"]
    assert all(min(row.ours, row.plain, row.ratio) > 0 for row in rows)
    ours, plain = bench.SqueezeExcitation(16), bench.Plain(16)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 16, 3, 2)
    assert (ours(x) - plain(x)).abs().max() < 1e-6


def test_bench_without_torch(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "attn_torch.bench", None)
    sentence = "import of attn_torch.bench halted; None in sys.modules: pip install 'attn-blocks[torch]'"
    assert attn("bench") == (2, "", f"attn: {sentence}\n")


@pytest.mark.parametrize("command", ["port", "bench", "show", "list"])
def test_help_fits(attn: Attn, command: str):
    code, stdout, _ = attn(command, "--help")
    assert code == 0
    assert max(map(len, stdout.splitlines())) <= 80
    if command == "port":
        assert "1: a check failed or no block was found; nothing is written." in stdout
    if command == "bench":
        assert "of our time divided by the plain module's: 1.05 means 5 % slower." in stdout
