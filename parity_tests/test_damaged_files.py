"""Files of arrays that are damaged or lie: refused in one short sentence, before anything large is made of them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtimes import need
from test_dialect_files import read, refusal

import attn_core as core
from attn_core import WeightsError
from attn_core.weights import UndefinedWarning
from attn_core.weights.files import arrays

ARRAYS = {"fc.weight": np.arange(12, dtype="f4").reshape(3, 4), "fc.bias": np.ones(3, "f4")}
MANY = 60  # places of a file that are damaged in turn


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files claim little that they do not hold, so that small ones show it."""
    monkeypatch.setattr(arrays, "FREE_BYTES", 1000)


def torch_bytes() -> bytes:
    need("torch")
    import torch

    stream = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in ARRAYS.items()}, stream)
    return stream.getvalue()


def npz_bytes(compressed: bool = False, **held: np.ndarray) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **held or ARRAYS)
    return stream.getvalue()


def hdf5_bytes(**held: np.ndarray) -> bytes:
    need("hdf5")
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, array in (held or ARRAYS).items():
            file.create_dataset(name.replace(".", "/"), data=array)
    return stream.getvalue()


def keras_bytes(compression: int = zipfile.ZIP_STORED, **held: np.ndarray) -> bytes:
    return zipped([("model.weights.h5", hdf5_bytes(**held))], compression)


def zipped(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


ARCHIVES: dict[str, Callable[[], bytes]] = {".pth": torch_bytes, ".npz": npz_bytes, ".keras": keras_bytes}


def written(folder: Path, suffix: str, content: bytes) -> Path:
    path = folder / f"net{suffix}"
    path.write_bytes(content)
    return path


def said(path: Path) -> str:
    """Return why a file is not read: in a sentence that does not repeat it."""
    sentence = refusal(path)
    assert len(sentence) < 600
    assert sentence.isprintable()
    return sentence


# ---- damaged archives ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_byte_that_changed(suffix: str, tmp_path: Path):
    """Anywhere: the file is refused, or holds what it held."""
    whole = ARCHIVES[suffix]()
    path = written(tmp_path, suffix, whole)
    wanted = read(path)
    refused = 0
    for place in np.linspace(0, len(whole) - 1, MANY).astype(int):
        changed = bytearray(whole)
        changed[place] ^= 0x5A
        path.write_bytes(changed)
        try:
            found = read(path)
        except core.dialects.DialectError:
            refused += 1
            continue
        assert found.keys() == wanted.keys(), place
        assert all(np.array_equal(found[name], array) for name, array in wanted.items()), place
    assert refused > MANY // 3


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_a_number_that_changed(suffix: str, tmp_path: Path):
    """Of an array itself, which nothing but the sum of the member shows."""
    whole = ARCHIVES[suffix]()
    number = np.float32(5).tobytes()
    assert whole.count(number) == 1
    path = written(tmp_path, suffix, whole.replace(number, np.float32(6).tobytes()))
    assert "is damaged" in said(path)


@pytest.mark.parametrize("suffix", ARCHIVES)
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_names_that_come_twice(suffix: str, tmp_path: Path):
    own = members(ARCHIVES[suffix]())
    path = written(tmp_path, suffix, zipped([*own, own[-1]]))
    assert said(path) == f"{own[-1][0]} is in it twice, and only one of the two would be read."


def test_names_that_are_one_name(tmp_path: Path):
    (name, content), *_ = members(npz_bytes())
    path = written(tmp_path, ".npz", zipped([(name, content), (name.removesuffix(".npy"), content)]))
    assert said(path) == "fc.weight is in it twice, once as fc.weight.npy."


def left_out(content: bytes) -> bytes:
    """Return an archive whose directory does not name its last member, and whose end counts one less."""
    stream = io.BytesIO(content)
    archive = zipfile.ZipFile(stream, "a")
    archive.filelist.pop()
    archive._didModify = True
    archive.close()
    return stream.getvalue()


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_members_that_the_directory_leaves_out(suffix: str, tmp_path: Path):
    more = zipped([*members(ARCHIVES[suffix]()), ("other", b"0" * 99)])
    assert "its directory is damaged: the directory starts at byte" in said(written(tmp_path, suffix, left_out(more)))


@pytest.mark.parametrize("suffix", ARCHIVES)
def test_members_that_share_bytes(suffix: str, tmp_path: Path):
    """As in archives that become large when they are unpacked."""
    stream = io.BytesIO(ARCHIVES[suffix]())
    with zipfile.ZipFile(stream, "a") as archive:
        again = zipfile.ZipInfo("again")
        first = archive.filelist[0]
        again.header_offset, again.CRC = first.header_offset, first.CRC
        again.file_size = again.compress_size = first.file_size
        archive.filelist.append(again)
        archive.NameToInfo["again"] = again
        archive._didModify = True
    assert "its directory is damaged" in said(written(tmp_path, suffix, stream.getvalue()))


def test_the_bytes_before_an_archive(tmp_path: Path):
    path = written(tmp_path, ".npz", b"#!/bin/sh\nexec something\n" * 9 + npz_bytes())
    assert "no member's" in said(path)


# ---- sizes that are claimed ------------------------------------------------------------------------------------------


ZEROS = np.zeros(300_000, "f4")
TIMES = (
    r"claims 1,2\d\d,\d\d\d bytes of arrays and holds [\d,]+: more than 100 times as many; save it without compression"
)


@pytest.mark.usefixtures("small")
def test_archives_that_claim_far_more_than_they_hold(tmp_path: Path):
    for suffix, content in (
        (".npz", npz_bytes(True, zeros=ZEROS)),
        (".keras", keras_bytes(zipfile.ZIP_DEFLATED, zeros=ZEROS)),
        (".pth", zipped([("net/data.pkl", b"."), ("net/data/0", ZEROS.tobytes())], zipfile.ZIP_DEFLATED)),
    ):
        with pytest.raises(core.dialects.DialectError, match=TIMES):
            core.dialects.read_file(written(tmp_path, suffix, content))
    plain = written(tmp_path, ".npz", npz_bytes(zeros=ZEROS))
    assert read(plain)["zeros"].size == ZEROS.size  # what is not compressed claims what it holds
    noise = np.random.default_rng(0).standard_normal(5000)
    assert read(written(tmp_path, ".npz", npz_bytes(True, noise=noise)))["noise"].size == 5000


def test_zeros_of_a_network_are_read(tmp_path: Path):
    """A compressed file of what is small in memory may hold as many zeros as it likes."""
    assert read(written(tmp_path, ".npz", npz_bytes(True, zeros=ZEROS)))["zeros"].size == ZEROS.size


def test_hdf5_with_one_of_its_pieces(tmp_path: Path):
    need("hdf5")
    import h5py

    with h5py.File(tmp_path / "net.h5", "w") as file:
        pieces = file.create_dataset("a", (3, 2**28), "f4", chunks=(1, 2**10))
        pieces[0, :100] = 1
    assert said(tmp_path / "net.h5") == "a claims 786,432 pieces and holds 1."
    with h5py.File(tmp_path / "grown.h5", "w") as file:
        file.create_dataset("a", (4,), "f4", maxshape=(None,), chunks=(4,))[:] = 1
        file["a"].resize((2**20,))
    assert said(tmp_path / "grown.h5") == "a claims 262,144 pieces and holds 1."


@pytest.mark.usefixtures("small")
def test_hdf5_of_zeros(tmp_path: Path):
    need("hdf5")
    import h5py

    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.create_dataset("a", data=np.zeros(300_000, "f4"), compression="gzip")
    with pytest.raises(core.dialects.DialectError, match=TIMES):
        core.dialects.read_file(tmp_path / "net.h5")


def test_tensors_that_repeat_a_number(tmp_path: Path):
    need("torch")
    import torch

    tensors = {"a": torch.zeros(1).expand(10**12), "b": torch.ones(2)}
    torch.save(tensors, tmp_path / "net.pth")
    assert said(tmp_path / "net.pth") == "a claims 4,000,000,000,000 bytes and holds 4."
    torch.save({"tied": tensors["b"], "other": tensors["b"]}, tmp_path / "net.pth")
    assert read(tmp_path / "net.pth").keys() == {"tied", "other"}


def safetensors_bytes(shape: tuple[int, ...], held: int = 0, name: str = "w", dtype: str = "F32") -> bytes:
    header = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": [0, held]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(held)


def npy_bytes(shape: str) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (0,)})
    text = stream.getvalue()
    changed = text.replace(b"(0,)", shape.encode(), 1)
    return changed[: len(text) - 1 - (len(changed) - len(text))].ljust(len(text) - 1) + b"\n"


IMPOSSIBLE = [(0, 2**62), (2**62, 0), (0, 2**40, 2**40), (0, 2**61)]


@pytest.mark.parametrize("shape", IMPOSSIBLE)
def test_empty_arrays_of_impossible_shapes(shape: tuple[int, ...], tmp_path: Path):
    sentence = f"no array has the shape {shape}"
    path = written(tmp_path, ".safetensors", safetensors_bytes(shape))
    assert said(path) == f"w cannot be read: {sentence}."
    for call in (core.load, lambda path: core.load(path, core.SqueezeExcitation(8, 2))):
        with pytest.raises(WeightsError):
            call(path)
    path = written(tmp_path, ".npz", zipped([("w.npy", npy_bytes(str(shape)))]))
    assert said(path) == f"w.npy is damaged or no array of real numbers ({sentence})."


def test_empty_arrays_are_read(tmp_path: Path):
    assert read(written(tmp_path, ".safetensors", safetensors_bytes((0, 3))))["w"].shape == (0, 3)
    assert read(written(tmp_path, ".npz", npz_bytes(a=np.zeros((0, 3)))))["a"].shape == (0, 3)


# ---- what messages repeat --------------------------------------------------------------------------------------------

LONG = "X" * 100_000


def long_files() -> Iterator[tuple[str, bytes]]:
    """Yield files that hold something long where messages repeat what is wrong."""
    yield ".safetensors", safetensors_bytes((2,), 8, dtype=LONG)
    yield ".safetensors", safetensors_bytes((2,), 4, name=LONG)
    yield ".safetensors", safetensors_bytes((1,) * 20_000, 4)
    yield ".safetensors", safetensors_bytes((2**62, 0) + (1,) * 20_000, name=LONG)
    yield ".npz", zipped([("a.npy", npy_bytes("(0,)").replace(b"descr", b"\x1b[1m\n"))])
    yield ".npz", zipped([(f"{LONG[:60_000]}.npy", b"none")])
    yield ".npz", npz_bytes(a=np.zeros(2, [("x" * 5000, "f4"), ("y", "f4")]))
    yield ".npz", npz_bytes(a=np.array(["x" * 10_000]))
    yield ".pth", zipped([(f"{LONG[:60_000]}/data.pkl", LONG.encode())])
    name = LONG[:1000].encode()  # PyTorch takes the square of its length to say what it is
    yield ".pth", b"c" + name + b"\n" + name + b"\n."
    yield ".h5", hdf5_bytes(a=np.zeros(2, [("x" * 5000, "f4"), ("y", "f4")]))
    yield ".h5", hdf5_bytes(**{LONG[:60_000]: np.array([b"text"])})
    yield ".keras", zipped([("model.weights.h5", LONG.encode())])


@pytest.mark.parametrize("number", range(13))
def test_messages_repeat_little(number: int, tmp_path: Path):
    if number in (8, 9):
        need("torch")
    suffix, content = list(long_files())[number]
    path = written(tmp_path, suffix, content)
    assert len(said(path)) < 600


# ---- what is no number -----------------------------------------------------------------------------------------------

BLOCK = core.SqueezeExcitation(4, 2)


def undefined(dtype: str = "f4") -> dict[str, np.ndarray]:
    """Return weights of which two are no numbers."""
    found = {name: array.astype(dtype) for name, array in core.initialise(BLOCK).items()}
    found["expand.weight"][1, 1], found["reduce.bias"][0] = np.nan, -np.inf
    return found


SAID = [
    "{}: reduce.bias holds -inf at [0]: 1 of its 2 numbers are not finite.",
    "{}: expand.weight holds nan at [1, 1]: 1 of its 8 numbers are not finite.",
]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_weights_that_are_no_numbers_are_told(dtype: str, tmp_path: Path):
    """When they are saved, loaded, and read from somebody's arrays, which all keep them."""
    path, weights = tmp_path / "w.safetensors", undefined(dtype)
    with pytest.warns(UndefinedWarning) as told:
        core.save(path, BLOCK, weights)
    assert [str(each.message) for each in told] == [each.format(path) for each in SAID]
    assert all(each.filename == __file__ for each in told)  # where the user called it
    with pytest.warns(UndefinedWarning) as told:
        loaded = core.load(path)[1]
    assert [str(each.message) for each in told] == [each.format(path) for each in SAID]
    assert all(np.array_equal(loaded[name], array, equal_nan=True) for name, array in weights.items())
    state = core.dialects.write("timm.SqueezeExcite", BLOCK, weights)
    for read_it in (core.dialects.read, core.dialects.read_all):
        with pytest.warns(UndefinedWarning) as told:
            read_it("timm.SqueezeExcite", state)
        assert [str(each.message) for each in told] == [each.format("timm.SqueezeExcite") for each in SAID]


def test_what_else_is_in_a_network_may_be_infinite(tmp_path: Path):
    """As the masks of transformers are; whole numbers are always finite."""
    state = core.dialects.write("timm.SqueezeExcite", BLOCK, core.initialise(BLOCK), "se.")
    mask = {"attn.mask": np.full((2, 2), -np.inf, "f4"), "steps": np.array(3)}
    path = written(tmp_path, ".npz", npz_bytes(**state, **mask))
    core.dialects.read("timm.SqueezeExcite", core.dialects.read_file(path))  # a warning would be an error here


def test_the_command_tells_it(attn: Callable[..., Any], tmp_path: Path):
    path = tmp_path / "w.npz"
    core.dialects.write_file(path, core.dialects.write("timm.SqueezeExcite", BLOCK, undefined()))
    arguments = ("--from", "timm.SqueezeExcite", "--to", "timm.SEModule", "--out", str(tmp_path / "out.npz"))
    code, _, stderr = attn("convert", str(path), *arguments)
    assert code == 0
    assert stderr.splitlines() == [f"attn: {each.format('timm.SqueezeExcite')}" for each in SAID]
