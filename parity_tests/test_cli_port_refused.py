"""How `attn port` ends where it cannot work, and that nothing is on the disk then."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from runtimes import GOLDEN
from terminal import ALONE, NET, SE, Attn, refusal

from attn_core import parity


def test_checks_that_fail(attn: Attn, monkeypatch: pytest.MonkeyPatch):
    """A framework that computes wrongly: exit code 1, the errors are shown and an earlier output is as it was."""
    assert attn("port", "--blocks", ALONE, "--to", "torch", "--out", "out")[0] == 0
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    right = parity.runtime("torch")

    def run(*args: Any, **options: Any) -> parity.Outcome:
        outcome = right.run(*args, **options)
        return dataclasses.replace(outcome, output=outcome.output + 1e-3)

    monkeypatch.setattr(parity, "runtime", lambda name: SimpleNamespace(run=run))
    code, stdout, stderr = attn("port", "--blocks", NET / "frozen.pb", "--to", "torch", "--out", "out")
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
    sentence = "no squeeze-and-excitation or CBAM block was found; nothing was written."
    assert refusal(attn, 1, *args) == sentence
    assert refusal(attn, 1, *args, "--io", "missing") == sentence
    stdout = attn("port", "--blocks", *args)[1]
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


OTHER_FORMATS = {
    "model.h5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras saves models", "is ported without --blocks"),
    "model.keras": (b"PK\x03\x04", "is a zip archive, as .keras", "`attn convert`"),
    "model.pth": (b"\x80\x02", "is a pickle, as PyTorch's older files are", "`attn convert`"),
    "model.tflite": (b"\x1c\x00\x00\x00TFL3", "is a TensorFlow Lite model", "that it was converted from"),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_other_formats_are_named(attn: Attn, name: str):
    """By their contents, whatever the file is called, with the way that there is from them."""
    start, sentence, way = OTHER_FORMATS[name]
    for path in (name, "model"):
        Path(path).write_bytes(start + bytes(200))
        said = refusal(attn, 2, path, "--to", "torch", "--out", "out")
        assert said.startswith(f"{path} {sentence}")
        assert way in said


def test_damaged_keras_model(attn: Attn):
    """Without --blocks, HDF5 is taken for a whole model."""
    Path("model").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    code, stdout, stderr = attn("port", "model", "--to", "torch", "--out", "out")
    assert (code, stdout) == (2, "")
    assert stderr.startswith("attn: model: damaged or no HDF5 file (")
    assert os.listdir() == ["model"]


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
    assert attn("port", "--blocks", *args)[0] == 130
    assert os.listdir() == []


def test_wrong_options(attn: Attn):
    for args in ((ALONE, "--to", "caffe", "--out", "out"), (ALONE, "--to", "torch"), (ALONE, "--out", "out"), ()):
        code, _, stderr = attn("port", "--blocks", *args)
        assert (code, os.listdir()) == (2, [])
        assert "Usage: " in stderr
