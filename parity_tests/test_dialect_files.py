"""Files of arrays: each kind and back, and one clear sentence for everything that is none."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from dialect_cases import CBAM, SE, same, weights_of
from runtimes import GOLDEN, in_keras, need

from attn_core import dialects
from attn_core.weights.dialects import DialectError
from attn_core.weights.files import arrays
from attn_core.weights.files import state as files

NORMED = CBAM(8, hidden=2, bias=True, norm=True)
TORCH = dialects.write("jongchan.CBAM", NORMED, weights_of(NORMED)) | {"half": np.ones(3, "float16"), "n": np.arange(3)}
LAYERS = dialects.write(
    "kobiso.cbam_block", CBAM(8, hidden=2, bias=True), weights_of(CBAM(8, hidden=2, bias=True)), "a"
)
KINDS = {".safetensors": TORCH, ".npz": TORCH, ".pth": TORCH, ".pt": TORCH, ".h5": LAYERS}


def kind(suffix: str) -> str:
    """Return the suffix if what reads such files is installed."""
    if suffix in (".pth", ".pt"):
        need("torch")
    if suffix in (".h5", ".keras"):
        need("hdf5")
    return suffix


def read(path: Path) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in dialects.read_file(path).items()}


def refusal(path: Path, call: Callable[..., Any] = dialects.read_file, *args: Any) -> str:
    """Return the one sentence, without the file's name."""
    with pytest.raises((DialectError, FileNotFoundError)) as caught:
        call(path, *args)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(str(path)).removeprefix(": ")


@pytest.mark.parametrize("suffix", KINDS)
def test_round_trip(suffix: str, tmp_path: Path):
    path = tmp_path / f"net{kind(suffix)}"
    dialects.write_file(path, KINDS[suffix])
    assert same(read(path), KINDS[suffix])
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", KINDS)
def test_damaged(suffix: str, tmp_path: Path):
    """Cut short anywhere, or not of this kind at all."""
    path = tmp_path / f"net{kind(suffix)}"
    dialects.write_file(path, KINDS[suffix])
    whole = path.read_bytes()
    for content in (
        b"",
        b"\0" * 100,
        b"PK\x03\x04" + b"\xff" * 60,
        *(whole[: len(whole) * i // 8] for i in range(1, 8)),
    ):
        path.write_bytes(content)
        refusal(path)


def test_what_pytorch_wraps(tmp_path: Path):
    need("torch")
    import torch

    path = tmp_path / "checkpoint.pth"
    tensors = {name: torch.from_numpy(array) for name, array in TORCH.items()}
    for wrapped in (
        {"state_dict": tensors, "epoch": 3},
        {"model": tensors},
        {"model": {"state_dict": tensors}},
        tensors,
    ):
        torch.save(wrapped, path)
        assert same(read(path), TORCH)
    torch.save([1, 2], path)
    assert refusal(path) == "holds a list, not tensors by name."
    torch.save({"epoch": 3}, path)
    assert refusal(path) == "there is no array in it."


class Bomb:
    """What a pickle runs when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, ("loaded",)


def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    need("torch")
    import torch

    monkeypatch.chdir(tmp_path)
    path = Path("bomb.pth")
    torch.save({"fc.0.weight": torch.zeros(2), "bomb": Bomb()}, path)
    assert refusal(path).startswith("damaged, or it holds more than tensors, which is not loaded (")
    path.write_bytes(pickle.dumps(Bomb()))
    assert refusal(path).startswith("damaged, or it holds more than tensors, which is not loaded (")
    arrays = Path("bomb.npz")
    np.savez(arrays, a=np.array([Bomb()]))
    assert refusal(arrays).startswith("a.npy is damaged or no array of real numbers (")
    assert not Path("loaded").exists()


def test_npz_that_claims_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.npz"
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", stream.getvalue().replace(b"(3,)", b"(9,)"))
    assert refusal(path) == (
        "a.npy is damaged or no array of real numbers (its header says float64 of shape (9,), 24 bytes follow)."
    )
    monkeypatch.setattr(arrays, "MOST_BYTES", 100)
    np.savez_compressed(path, a=np.zeros(1000))
    assert refusal(path) == "claims 8,128 bytes of arrays; at most 100 are read."


HDF5 = {
    "soft link": (
        lambda h5py, file, folder: file.__setitem__("b", h5py.SoftLink("/a")),
        "b is a link to elsewhere, which is not followed.",
    ),
    "external link": (
        lambda h5py, file, folder: file.__setitem__("b", h5py.ExternalLink("other.h5", "/a")),
        "b is a link to elsewhere, which is not followed.",
    ),
    "external link for the weights": (
        lambda h5py, file, folder: file.__setitem__("model_weights", h5py.ExternalLink("other.h5", "/")),
        "model_weights is a link to elsewhere, which is not followed.",
    ),
    "circle": (
        lambda h5py, file, folder: file["c"].__setitem__("d", file["c"]),
        "c/d is in it twice, or there are more than 100,000 objects.",
    ),
    "external data": (
        lambda h5py, file, folder: file.create_dataset("b", (3,), "f4", external=[(str(folder / "x"), 0, 12)]),
        "b is kept in another file, which is not read.",
    ),
    "virtual data": (
        lambda h5py, file, folder: file.create_virtual_dataset("b", h5py.VirtualLayout((3,), "f4")),
        "b is kept in another file, which is not read.",
    ),
    "text": (
        lambda h5py, file, folder: file.create_dataset("b", data=["a", "b"]),
        "b must hold real numbers, got object.",
    ),
    "nothing there": (
        lambda h5py, file, folder: file.create_dataset("b", (10**9,), "f8"),
        "b claims 8,000,000,000 bytes and holds 0.",
    ),
    "zeros packed": (
        lambda h5py, file, folder: file.create_dataset("b", data=np.zeros(2000), compression="gzip"),
        "claims 16,012 bytes of arrays; at most 10,000 are read.",
    ),
}


@pytest.mark.parametrize("case", HDF5)
def test_hdf5_that_is_more_than_arrays(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kind(".h5")
    import h5py

    make, sentence = HDF5[case]
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(3, "f4")
        file.create_group("c")
        make(h5py, file, tmp_path)
    if "packed" in case:
        monkeypatch.setattr(arrays, "MOST_BYTES", 10_000)
    assert refusal(path) == sentence


def test_arrays_of_layers_in_keras_3(tmp_path: Path):
    """What Keras 3 numbers: named where the shapes tell what it is."""
    kind(".h5")
    import h5py

    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        for where, name, shapes in (
            ("layers/conv2d", "a_se_reduce", [(1, 1, 8, 2), (2,)]),
            ("layers/conv2d_1", "a_se_expand", [(1, 1, 2, 8), (8,)]),
            ("layers/batch_normalization", "bn", [(8,)] * 4),
            ("layers/layer_normalization", "ln", [(8,)] * 2),
            ("layers/own/inner", "any", [(8,)] * 3),
            ("layers/dense", None, [(8, 2)]),
        ):
            group = file.create_group(where).create_group("vars")
            if name:
                group.attrs["name"] = name
            for i, shape in enumerate(shapes):
                group[str(i)] = np.full(shape, i, "f4")
    assert {name: array.shape for name, array in read(path).items()} == {
        **{"a_se_reduce/kernel": (1, 1, 8, 2), "a_se_reduce/bias": (2,)},
        **{"a_se_expand/kernel": (1, 1, 2, 8), "a_se_expand/bias": (8,)},
        **{f"bn/{leaf}": (8,) for leaf in ("gamma", "beta", "moving_mean", "moving_variance")},
        **{f"ln/{leaf}": (8,) for leaf in ("gamma", "beta")},
        **{f"own/inner/vars/{i}": (8,) for i in range(3)},
        "dense/kernel": (8, 2),
    }
    (prefix,) = dialects.read_all("keras_applications.efficientnet", read(path))
    assert prefix == "a_"


def test_keras_loads_what_is_written(tmp_path: Path):
    need("keras-tensorflow")
    block = SE(8, hidden=4, activation="silu")
    weights = weights_of(block)
    dialects.write_file(tmp_path / "a.h5", dialects.write("keras_applications.efficientnet", block, weights, "b1"))
    kernel, bias = in_keras("tensorflow", "keras_dialects", "load_by_name", str(tmp_path / "a.h5"), "b1_se_reduce")
    assert np.array_equal(kernel[0, 0].T, weights["reduce.weight"])
    assert np.array_equal(bias, weights["reduce.bias"])


def test_checkpoints_of_tensorflow_1():
    state = dialects.read_file(GOLDEN / "tf1" / "se_block" / "model.ckpt.index")
    assert {name: array.shape for name, array in state.items()} == {
        "dense/kernel": (64, 4),
        "dense/bias": (4,),
        "dense_1/kernel": (4, 64),
        "dense_1/bias": (64,),
    }


def test_unreadable(tmp_path: Path):
    assert refusal(tmp_path / "a.npz") == "there is no such file."
    assert refusal(tmp_path) == "there is no such file."
    path = tmp_path / "a.bin"
    path.write_bytes(b"a")
    assert refusal(path) == ("its kind is not known; read are .safetensors, .npz, .pth, .pt, .h5, .keras, .index.")
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    assert refusal(path) == "there is no model.weights.h5 in it, which Keras' files have."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", "{}")
    assert refusal(path).startswith("damaged or no HDF5 file (")
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.numpy.save({}))
    assert refusal(path) == "there is no array in it."


def test_unwritable(tmp_path: Path):
    written = "written are .safetensors, .npz, .pth, .pt, .h5"
    keras = "; Keras' own needs the whole model: write .h5, which load_weights(..., by_name=True) loads"
    for name, more in (("a.bin", ""), ("a.keras", keras), ("a.weights.h5", keras)):
        assert refusal(tmp_path / name, dialects.write_file, TORCH) == f"this kind cannot be written; {written}{more}."
    kind(".h5")
    assert refusal(tmp_path / "a.h5", dialects.write_file, TORCH) == (
        "ChannelGate.mlp.1.weight is no name in Keras, layer/kernel: choose another kind of file."
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth"])
def test_numbers_that_files_have_not(suffix: str, tmp_path: Path):
    path = tmp_path / f"a{kind(suffix)}"
    need("nnx")
    from ml_dtypes import bfloat16

    dialects.write_file(path, {"a": np.arange(3).astype(bfloat16)})
    assert same(read(path), {"a": np.arange(3).astype("float32")})
    if suffix != ".npz":
        sentence = refusal(path, dialects.write_file, {"a": np.ones(3, np.longdouble)})
        assert sentence.startswith("such a file cannot hold these arrays (")
        assert same(read(path), {"a": np.arange(3).astype("float32")})


def test_an_old_file_stays_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.npz"
    dialects.write_file(path, {"a": np.zeros(3)})
    with pytest.raises(DialectError, match=r"^a must hold real numbers, got complex128\.$"):
        dialects.write_file(path, {"a": np.zeros(3, complex)})
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        dialects.write_file(path, {"a": np.ones(3)})
    assert os.listdir(tmp_path) == ["a.npz"]
    assert same(read(path), {"a": np.zeros(3)})
    assert files.WRITERS.keys() == KINDS.keys()
