"""Canonical weights and their files: what goes in comes out, and everything else ends in one sentence."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import attn_core as core
from attn_core.models.registry import KNOWN as NAMES
from attn_core.weights import WeightsError, check

SE = core.SqueezeExcitation
BLOCK = SE(8, 2)
WEIGHTS = core.initialise(BLOCK, seed=1)


def described(**changes: Any) -> dict[str, str]:
    return {"attn": json.dumps({"block": "SqueezeExcitation", "config": BLOCK.config(), "version": 1} | changes)}


def configured(**changes: Any) -> dict[str, str]:
    return described(config=BLOCK.config() | changes)


def written(folder: Path, metadata: dict[str, str] | None, **changes: np.ndarray | None) -> Path:
    arrays = {name: array for name, array in (WEIGHTS | changes).items() if array is not None}
    path = folder / "w.safetensors"
    path.write_bytes(safetensors.numpy.save(arrays, metadata=metadata))
    return path


def refusal(path: Path) -> str:
    """Return the one sentence, without the file's name."""
    with pytest.raises(WeightsError) as caught:
        core.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < 1500
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("block", [BLOCK, SE(7, hidden=3, bias=False, activation="gelu", gate="hard_sigmoid")])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", "int8"])
def test_round_trip(tmp_path: Path, block: core.Block, dtype: str):
    weights = {name: (9 * array).astype(dtype) for name, array in core.initialise(block).items()}
    core.save(tmp_path / "w", block, weights)
    found, loaded = core.load(tmp_path / "w")
    assert found == block
    assert list(loaded) == list(block.arrays())
    for name, array in weights.items():
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(loaded[name], array)


def test_bfloat16_becomes_float32(tmp_path: Path):
    weights = {name: array.astype(ml_dtypes.bfloat16) for name, array in WEIGHTS.items()}
    core.save(tmp_path / "w", BLOCK, weights)
    loaded = core.load(tmp_path / "w")[1]
    assert all(loaded[name].dtype == np.float32 for name in weights)
    assert all(np.array_equal(loaded[name], array.astype(np.float32)) for name, array in weights.items())


def test_file_without_description_needs_the_block(tmp_path: Path):
    path = written(tmp_path, None)
    assert refusal(path) == "no block is described in its metadata: name one, load(path, block)."
    assert core.load(path, BLOCK)[1].keys() == WEIGHTS.keys()


KNOWN = f"known here: {', '.join(NAMES)} in format 1."
METADATA = {
    "unknown": (described(block="Cbam"), "holds 'Cbam' in format 1; " + KNOWN),
    "format": (
        described(version=2),
        "holds 'SqueezeExcitation' in format 2; " + KNOWN,
    ),
    "list": (described(block=["SE"]), "holds \"['SE']\" in format 1; " + KNOWN),
    "long": (
        described(block="X" * 10**6),
        "holds 'XXXXXXXXXXXX...XXXXXXXXXXXXX' in format 1; " + KNOWN,
    ),
    "extra": (
        configured(x=1),
        "its metadata describes no SqueezeExcitation: "
        "SqueezeExcitation.__init__() got an unexpected keyword argument 'x'",
    ),
    "type": (
        configured(channels="8"),
        "its metadata describes no SqueezeExcitation: SqueezeExcitation: channels must be int, got '8'.",
    ),
    "true": (
        configured(channels=True),
        "its metadata describes no SqueezeExcitation: SqueezeExcitation: channels must be int, got True.",
    ),
    "no_hidden": (
        configured(reduction=9),
        "its metadata describes no SqueezeExcitation: SqueezeExcitation(channels=8, reduction=9) leaves no hidden "
        "unit: reduction must lie between 1 and 8.",
    ),
    "choice": (
        configured(gate="exp"),
        "its metadata describes no SqueezeExcitation: SqueezeExcitation(channels=8, reduction=2, gate='exp'): "
        "gate must be one of sigmoid, hard_sigmoid, relu; got 'exp'.",
    ),
    "huge": (
        configured(channels=2**60),
        "These are not weights of SqueezeExcitation(channels=1152921504606846976, reduction=2): "
        "reduce.weight must be (576460752303423488, 1152921504606846976), got (4, 8); "
        "reduce.bias must be (576460752303423488,), got (4,); "
        "expand.weight must be (1152921504606846976, 576460752303423488), got (8, 4); "
        "expand.bias must be (1152921504606846976,), got (8,).",
    ),
}


@pytest.mark.parametrize("case", METADATA)
def test_wrong_description(tmp_path: Path, case: str):
    metadata, sentence = METADATA[case]
    assert refusal(written(tmp_path, metadata)) == sentence


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000, '{"block": "SqueezeExcitation"}', json.dumps({"version": 1, "config": {}})]
    + [described(config=wrong)["attn"] for wrong in (None, 3, [1])]
    + ['{"block": "SqueezeExcitation", "version": 1, "config": {"channels": 1' + "0" * 5000 + "}}"],
)
def test_unreadable_description(tmp_path: Path, text: str):
    assert refusal(written(tmp_path, {"attn": text})) == "the block in its metadata cannot be read."


@pytest.mark.parametrize("value", [10**400, [[[[0] * 999] * 9] * 9], "x" * 10**6])
def test_description_without_end(tmp_path: Path, value: object):
    sentence = refusal(written(tmp_path, configured(channels=value)))
    assert sentence.startswith("its metadata describes no SqueezeExcitation: ")


NOT = "These are not weights of SqueezeExcitation(channels=8, reduction=2): "
ARRAYS = {
    "missing": ({"reduce.bias": None}, NOT + "reduce.bias (4,) is missing."),
    "left": ({"gamma": np.ones(3)}, NOT + "gamma (3,) is left over."),
    "shape": ({"reduce.bias": np.ones((4, 1))}, NOT + "reduce.bias must be (4,), got (4, 1)."),
    "many": (
        {f"layer{i}": np.ones(1) for i in range(300)},
        NOT + "; ".join(f"layer{i} (1,) is left over" for i in (0, 1, 10, 100, 101, 102, 103, 104)) + "; and 292 more.",
    ),
    "control": ({"a\n\x1b[31m": np.ones(1)}, NOT + r"'a\n\x1b[31m' (1,) is left over."),
    "bool": ({"reduce.bias": np.ones(4, bool)}, "reduce.bias must hold real numbers, got bool."),
    "complex": ({"reduce.bias": np.ones(4, "complex64")}, "reduce.bias must hold real numbers, got complex64."),
    "bfloat16": (
        {"reduce.bias": np.ones(4, ml_dtypes.bfloat16)},
        "NumPy has no BF16, the type of reduce.bias: save it as float32.",
    ),
    "float8": (
        {"reduce.bias": np.ones(4, ml_dtypes.float8_e5m2)},
        "NumPy has no F8_E5M2, the type of reduce.bias: save it as float32.",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_wrong_arrays(tmp_path: Path, case: str):
    changes, sentence = ARRAYS[case]
    assert refusal(written(tmp_path, described(), **changes)) == sentence


def test_duplicated_weight(tmp_path: Path):
    """The last of two entries of one name counts, in safetensors; two that differ in shape cannot both fit the file."""
    path = written(tmp_path, described())
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    twice = data[8 : 8 + size].rstrip()[:-1] + b',"reduce.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(struct.pack("<Q", len(twice)) + twice + data[8 + size :])
    assert refusal(path).startswith("not a whole safetensors file (")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK\x05\x06" + bytes(18), b"hello world"])
def test_foreign_file(tmp_path: Path, content: bytes):
    (tmp_path / "w").write_bytes(content)
    assert refusal(tmp_path / "w").startswith("not a whole safetensors file (")


def test_every_truncation_and_a_huge_header(tmp_path: Path):
    whole = written(tmp_path, described()).read_bytes()
    path = tmp_path / "w"
    for content in [whole[:i] for i in range(len(whole))] + [whole + b"\0", struct.pack("<Q", 2**62) + b"{}"]:
        path.write_bytes(content)
        assert refusal(path).startswith("not a whole safetensors file (")


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as caught:
        core.load(tmp_path / "x")
    assert str(caught.value) == f"{tmp_path / 'x'}: there is no such file."
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        assert refusal(path) == "a folder or device, not a safetensors file."


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (np.array([None] * 4), "reduce.bias must hold real numbers, got object."),
        (list("abcd"), "reduce.bias must hold real numbers, got <U1."),
        (np.zeros(4, "M8[s]"), "reduce.bias must hold real numbers, got datetime64[s]."),
        (np.zeros(4, [("a", "f4")]), "reduce.bias must hold real numbers, got [('a', '<f4')]."),
    ],
)
def test_values_that_are_no_numbers(value: Any, sentence: str):
    with pytest.raises(WeightsError) as caught:
        check(BLOCK, WEIGHTS | {"reduce.bias": value})
    assert str(caught.value) == sentence


def test_ragged_values():
    with pytest.raises(WeightsError, match=r"^reduce.bias is no array \("):
        check(BLOCK, WEIGHTS | {"reduce.bias": [[1], [1, 2]]})


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failing_save_changes_nothing(tmp_path: Path, step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "w"
    core.save(path, BLOCK, WEIGHTS)
    before, write = path.read_bytes(), Path.write_bytes

    def half(target: Path, content: bytes) -> None:
        write(target, content[:9])
        raise error

    def failing(source: Path, target: str) -> None:
        raise error

    monkeypatch.setattr(*((Path, "write_bytes", half) if step == "write_bytes" else (os, "replace", failing)))
    with pytest.raises(type(error)) as caught:
        core.save(path, BLOCK, core.initialise(BLOCK, 2))
    assert isinstance(error, KeyboardInterrupt) or str(caught.value) == f"[Errno 28] No space left on device: '{path}'"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w"]


def test_save_where_it_cannot(tmp_path: Path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "none" / "w", tmp_path / "file" / "w"):
        with pytest.raises(OSError, match=r"^\[Errno \d+\] .*: '.*'$") as caught:
            core.save(path, BLOCK, WEIGHTS)
        assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == ["file"]


def test_save_follows_a_link_and_takes_long_names(tmp_path: Path):
    (tmp_path / "link").symlink_to("real")
    core.save(tmp_path / "link", BLOCK, WEIGHTS)
    core.save(tmp_path / ("x" * 255), BLOCK, WEIGHTS)
    assert os.readlink(tmp_path / "link") == "real"
    assert core.load(tmp_path / "real")[0] == core.load(tmp_path / ("x" * 255))[0] == BLOCK
