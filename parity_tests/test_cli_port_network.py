"""What `attn port` prints and leaves on the disk for a whole network."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from runtimes import GOLDEN, in_keras, need
from terminal import NET, SE, Attn

from attn_core.porting.ported import imported
from attn_core.porting.write.targets import RUNNERS

TABLE = """\
Read: model.ckpt-200.meta, from 'input' to 'dense_8/BiasAdd': PARTS.
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ what                     ┃ compared with         ┃  absolute ┃  relative ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━┩
│ output, float32          │ NumPy, 2x32x24x3      │     ERROR │     ERROR │
│ output, float64          │ NumPy, 2x32x24x3      │     ERROR │     ERROR │
│ gradient, one direction  │ NumPy, 2x32x24x3      │     ERROR │     ERROR │
│ output, float32          │ NumPy, 3x43x35x3      │     ERROR │     ERROR │
│ output, float64          │ NumPy, 3x43x35x3      │     ERROR │     ERROR │
│ gradient, one direction  │ NumPy, 3x43x35x3      │     ERROR │     ERROR │
│ output, float32          │ TensorFlow, 2x32x24x3 │     ERROR │     ERROR │
│ gradient                 │ TensorFlow, 2x32x24x3 │     ERROR │     ERROR │
│ output, float32          │ TensorFlow, 3x43x35x3 │     ERROR │     ERROR │
│ gradient                 │ TensorFlow, 3x43x35x3 │     ERROR │     ERROR │
"""
END = """\
NumPy runs the graph in float64, TensorFlow in float32; the numbers are the images' sizes.
Largest errors; a check passes if either is within 1e-05. In parentheses: told, not judged.
note: training = False, as outside of training
note: image: input; result: dense_8/BiasAdd
note: dense_4: dead on this image, which proves nothing of expand.weight
Written to out: model.py, weights.safetensors, port.json; all judged errors within 1e-05.
"""


def test_port(attn: Attn):
    """With TensorFlow as a witness, and what it recorded when it was version 1."""
    need("torch")
    need("keras-tensorflow")
    shutil.copy(NET / "io.npz", "io.npz")
    code, stdout, stderr = attn("port", NET / "model.ckpt-200", "--to", "torch", "--out", "out", "--io", "io.npz")
    assert (code, stderr) == (0, "")
    parts = "11 convolutions, 11 batch norms, 1 dense layer, 4 attention blocks"
    plain = re.sub(r"\(?\d\.\de-0[678]\)?", lambda number: "ERROR".rjust(len(number[0])), stdout).replace(
        parts, "PARTS"
    )
    assert plain[: len(TABLE)] == TABLE
    assert plain.endswith(END)
    rows = [line.split("│")[1].strip() for line in plain.splitlines() if line.startswith("│")]
    names = ["dense", "dense_2", "dense_4", "dense_6"]
    gates = [text for name in names for text in (f"block {name}", f"gate of {name}")]
    recorded = ["recorded output, float32", "recorded gradient", *gates]
    assert rows == [
        *(row.split("│")[1].strip() for row in TABLE.splitlines()[4:]),
        *(f"block {n}" for n in names),
        *recorded,
    ]
    assert sorted(os.listdir("out")) == ["model.py", "port.json", "weights.safetensors"]
    modes = {Path("out", name).stat().st_mode & 0o777 for name in os.listdir("out")}
    assert len(modes) == 1


@pytest.mark.parametrize("target", ["torch", "nnx", "linen"])
def test_target(attn: Attn, target: str):
    """At a recorded size and on a single pixel, the source computes what TensorFlow recorded."""
    need(target)
    code, _, stderr = attn("port", SE, "--to", target, "--out", "a/b", "--no-tensorflow")
    assert (code, stderr) == (0, "")
    assert_computes(import_module(RUNNERS[target]).run)


def test_keras(attn: Attn):
    need("keras-tensorflow")
    assert (
        in_keras(
            "tensorflow",
            "cli_checks",
            "attn",
            os.getcwd(),
            "port",
            str(SE),
            "--to",
            "keras",
            "--out",
            "a/b",
            "--no-tensorflow",
        )
        == 0
    )
    assert_computes(lambda *args: in_keras("tensorflow", RUNNERS["keras"], "run", *args))


def assert_computes(run: object) -> None:
    with np.load(SE / "io.npz") as file:
        io = dict(file)
    for suffix in ("", "_1x1"):
        image, output = (np.moveaxis(io[name + suffix], -1, 1).astype(np.float64) for name in ("input", "output"))
        (found,) = run(str(Path("a/b/model.py").resolve()), [image], [np.zeros_like(output)])
        assert np.abs(found.single - output).max() < 1e-5


def test_moving_averages(attn: Attn):
    """They are taken and told; a recording made without them is met without them."""
    torch = pytest.importorskip(need("torch"))
    path, image = GOLDEN / "tf1_networks" / "se_resnet", None
    args = ("port", path / "model.ckpt", "--to", "torch", "--out", "out", "--no-tensorflow")
    code, stdout, _ = attn(*args)
    assert code == 0
    assert "note: took the moving averages of 58 variables (--no-averages takes the variables)\n" in stdout
    report = json.loads(Path("out/port.json").read_text())
    averaged = [name for name in report["variables"] if name.endswith("/ExponentialMovingAverage")]
    assert len(averaged) == 58
    with np.load(path / "io.npz") as io:
        image, logits = torch.tensor(np.moveaxis(io["input"], -1, 1)), io["output"]
    assert np.abs(imported("out/model.py").load()(image).detach().numpy() - logits).max() > 1e-4
    assert attn(*args, "--io", path / "io.npz")[0] == 1
    assert attn(*args, "--io", path / "io.npz", "--no-averages")[0] == 0
    assert np.abs(imported("out/model.py").load()(image).detach().numpy() - logits).max() < 1e-5


def test_dropout(attn: Attn):
    """It is taken out, told, and TensorFlow runs the graph without it."""
    need("torch")
    need("keras-tensorflow")
    code, stdout, _ = attn(
        "port", GOLDEN / "tf1_networks" / "separable" / "model.ckpt", "--to", "torch", "--out", "out"
    )
    assert code == 0
    assert stdout.count("TensorFlow, ") == 4
    assert re.findall("note: dropout.*", stdout) == ["note: dropout removed: dropout/mul_1"]
    assert "TensorFlow could not run" not in stdout


def test_loads_from_anywhere(attn: Attn, tmp_path: Path):
    """`load` finds its weights beside the source; another file may be given, relative to it or whole."""
    torch = pytest.importorskip(need("torch"))
    assert attn("port", SE, "--to", "torch", "--out", "out", "--no-tensorflow")[0] == 0
    x = torch.ones(1, 64, 3, 3)
    wanted = imported("out/model.py").load()(x)
    shutil.move("out/weights.safetensors", tmp_path / "elsewhere.safetensors")
    os.chdir("/")
    module = imported(str(tmp_path / "out" / "model.py"))
    for given in (tmp_path / "elsewhere.safetensors", "../elsewhere.safetensors"):
        assert torch.equal(module.load(given)(x), wanted)
    with pytest.raises(FileNotFoundError):
        module.load()
