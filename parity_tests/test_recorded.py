"""Recordings: what is read, and one clear sentence for everything that is none."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from attn_core.porting.recorded import Recording, RecordingError, read

RNG = np.random.default_rng(0)
ARRAYS = {
    "se0_in": RNG.standard_normal((2, 3, 4, 5)).astype("float32"),
    "se0_gate": RNG.random((2, 1, 1, 5)).astype("float32"),
    "se0_out": RNG.standard_normal((2, 3, 4, 5)).astype("float32"),
    "se1_in": RNG.standard_normal((2, 1, 2, 3)),
    "se1_out": RNG.standard_normal((2, 1, 2, 3)),
}
CHANNELS = [5, 3]


def written(folder: Path, arrays: dict[str, np.ndarray], *, pack: bool = False) -> Path:
    path = folder / "io.npz"
    (np.savez_compressed if pack else np.savez)(path, **arrays)
    return path


def refusal(path: Path, channels: list[int] = CHANNELS) -> str:
    """Return the one sentence, without the file's name."""
    with pytest.raises((RecordingError, FileNotFoundError)) as caught:
        read(path, channels)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(str(path)).strip(": ")


@pytest.mark.parametrize("pack", [False, True])
def test_arrays_in_canonical_layout(tmp_path: Path, pack: bool):
    first, second = read(written(tmp_path, ARRAYS | {"other": np.zeros(3)}, pack=pack), CHANNELS)
    assert np.array_equal(first.image, ARRAYS["se0_in"].transpose(0, 3, 1, 2))
    assert np.array_equal(first.gate, ARRAYS["se0_gate"][:, 0, 0])
    assert np.array_equal(first.output, ARRAYS["se0_out"].transpose(0, 3, 1, 2))
    assert second.gate is None
    assert np.array_equal(second.output, ARRAYS["se1_out"].transpose(0, 3, 1, 2))


def test_gate_as_vectors(tmp_path: Path):
    path = written(tmp_path, {"se0_in": ARRAYS["se0_in"], "se0_gate": ARRAYS["se0_gate"][:, 0, 0]})
    assert np.array_equal(read(path, [5])[0].gate, ARRAYS["se0_gate"][:, 0, 0])


def changed(**arrays: np.ndarray | None) -> dict[str, np.ndarray]:
    return {name: array for name, array in (ARRAYS | arrays).items() if array is not None}


COUNT = "must record blocks 0 to 1, one for each block found, as se0_in, se0_gate, se0_out, ...; it holds: "
WRONG = {
    "no_input": (changed(se0_in=None), "must hold se0_in, and se0_gate or se0_out."),
    "input_alone": (changed(se1_out=None), "must hold se1_in, and se1_gate or se1_out."),
    "block_too_few": (changed(se1_in=None, se1_out=None), COUNT + "0."),
    "block_too_many": (changed(se2_in=np.ones(1)), COUNT + "0, 1, 2."),
    "nothing": ({"a": np.ones(1)}, COUNT + "none."),
    "channels": (
        changed(se0_in=np.ones((2, 3, 4, 6))),
        "se0_in has shape [2, 3, 4, 6], but must have [N, H, W, 5].",
    ),
    "channels_first": (
        changed(se0_in=np.ones((2, 5, 3, 4))),
        "se0_in has shape [2, 5, 3, 4], but must have [N, H, W, 5].",
    ),
    "no_sample": (changed(se0_in=np.ones((0, 3, 4, 5))), "se0_in has shape [0, 3, 4, 5], but must have [N, H, W, 5]."),
    "scalar": (changed(se0_in=np.float32(1)), "se0_in has shape [], but must have [N, H, W, 5]."),
    "gate": (
        changed(se0_gate=np.ones((3, 1, 1, 5))),
        "se0_gate has shape [3, 1, 1, 5], but must have [2, 1, 1, 5] or [2, 5].",
    ),
    "output": (changed(se1_out=np.ones((2, 1, 2))), "se1_out has shape [2, 1, 2], but must have [2, 1, 2, 3]."),
    "nan": (
        changed(se0_out=np.where(ARRAYS["se0_out"] > 1, np.nan, 0)),
        "se0_out is damaged or no array of finite numbers (it holds NaN or infinity).",
    ),
    "text": (
        changed(se0_in=np.array(["a"])),
        "se0_in is damaged or no array of finite numbers (its header says <U1 of shape (1,), 4 bytes follow).",
    ),
    "complex": (
        changed(se0_in=np.ones(1, complex)),
        "se0_in is damaged or no array of finite numbers (its header says complex128 of shape (1,), 16 bytes follow).",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arrays(tmp_path: Path, case: str):
    arrays, sentence = WRONG[case]
    assert refusal(written(tmp_path, arrays)) == sentence


def with_member(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("se0_in.npy", content)
        archive.writestr("se0_out.npy", content)
    return path


def npy(shape: tuple[int, ...], descr: str, data: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": descr})
    return stream.getvalue() + data


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy((2**40, 1, 1, 5), "<f8"), "its header says float64 of shape (1099511627776, 1, 1, 5), 0 bytes follow"),
        (npy((1, 1, 1, -5), "<f8"), "no array has the shape (1, 1, 1, -5)"),
        (npy((1, 1, 1, 5), "|O", b"\x80\x04N."), "its header says object of shape (1, 1, 1, 5), 4 bytes follow"),
        (npy((1, 1, 1, 5), "<f4", bytes(21)), "its header says float32 of shape (1, 1, 1, 5), 21 bytes follow"),
    ],
)
def test_header_that_lies(tmp_path: Path, content: bytes, reason: str):
    """Terabytes claimed, pickled objects, and numbers too many or too few: told before any array is made."""
    path = with_member(tmp_path / "io.npz", content)
    assert refusal(path, [5]) == f"se0_in is damaged or no array of finite numbers ({reason})."


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"\x93NUMPY\x07\x00", b"\x93NUMPY\x01\x00\xff\xff{", npy((1,), "<f4")]
)
def test_member_that_is_no_array(tmp_path: Path, content: bytes):
    assert "se0_in is damaged or no array of finite numbers" in refusal(with_member(tmp_path / "io.npz", content), [5])


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(64), b"hello", npy((2**45,), "<f8")])
def test_foreign_file(tmp_path: Path, content: bytes):
    """Also a single .npy, whose header claims terabytes."""
    path = tmp_path / "io.npz"
    path.write_bytes(content)
    assert refusal(path) == "is cut short or no .npz file (File is not a zip file)."


def test_no_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        assert refusal(path) == "is no file; give the .npz file of the recorded activations."


def test_encrypted(tmp_path: Path):
    path = with_member(tmp_path / "io.npz", npy((1, 1, 1, 5), "<f4", bytes(20)))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", struct.unpack_from("<H", data, place)[0] | 1)
    path.write_bytes(data)
    assert "is encrypted, password required for extraction" in refusal(path, [5])


def attempt(path: Path) -> Recording | None:
    try:
        return read(path, [5])[0]
    except RecordingError:
        return None


@pytest.mark.parametrize("pack", [False, True])
def test_every_byte(tmp_path: Path, pack: bool):
    """Wherever a bit flips or the file ends: the same numbers, or one sentence."""
    arrays = {"se0_in": ARRAYS["se0_in"], "se0_gate": ARRAYS["se0_gate"]}
    whole = written(tmp_path, arrays, pack=pack).read_bytes()
    wanted = read(tmp_path / "io.npz", [5])[0]
    path, told = tmp_path / "damaged.npz", 0
    for i in range(len(whole)):
        flipped = bytearray(whole)
        flipped[i] ^= 1 << i % 8
        for content in (bytes(flipped), whole[:i]) if i % 7 == 0 else (bytes(flipped),):
            path.write_bytes(content)
            if found := attempt(path):
                assert found.image.tobytes() == wanted.image.tobytes()
                assert found.gate.tobytes() == wanted.gate.tobytes()
            told += not found
    assert told > len(whole) / 2
