"""Writers of TensorFlow's checkpoint files, honest and hostile, and helpers to judge what a reader made of them."""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cramjam
import google_crc32c
import numpy as np
from runtimes import GOLDEN

from attn_core.porting.tf1 import CheckpointError, read_checkpoint
from attn_core.weights.files.tf1.protos import BundleEntry, BundleHeader, TensorSlices

FORMATS = GOLDEN / "tf1_formats"
MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)

Pairs = Iterable[tuple[bytes, bytes]]


def masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % (1 << 32)


def number(value: int) -> bytes:
    """Return a variable-length integer."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + number(rest) if rest else bytes([low])


def shared_prefix(first: bytes, second: bytes) -> int:
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def block(pairs: Pairs, interval: int = 16) -> bytes:
    """Return the contents of a block."""
    body, restarts, previous = b"", [0], b""
    for count, (key, value) in enumerate(pairs):
        shared = shared_prefix(previous, key) if count % interval else 0
        if count and not count % interval:
            restarts.append(len(body))
        body += number(shared) + number(len(key) - shared) + number(len(value)) + key[shared:] + value
        previous = key
    return body + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def sealed(content: bytes, kind: int = 0) -> bytes:
    """Return a block as it lies in a file; kind 1 compresses it."""
    content = bytes(cramjam.snappy.compress_raw(content)) if kind == 1 else content
    return content + bytes([kind]) + struct.pack("<I", masked_crc(content + bytes([kind])))


def assemble(blocks: list[tuple[bytes, bytes]], index: bytes | None = None, index_kind: int = 0) -> bytes:
    """Return a table of (last key, sealed block) pairs; ``index`` replaces the contents of its index block."""
    file, places = b"", []
    for last, content in blocks:
        places.append((last, number(len(file)) + number(len(content) - 5)))
        file += content
    meta, file = len(file), file + sealed(block([]))
    size = len(file) - meta - 5
    content = sealed(block(places, interval=1) if index is None else index, index_kind)
    handles = number(meta) + number(size) + number(len(file)) + number(len(content) - 5)
    return file + content + handles.ljust(40, b"\x00") + MAGIC


def table(pairs: Pairs, kind: int = 0, per_block: int = 1000) -> bytes:
    """Return a whole table file with blocks of ``per_block`` entries."""
    pairs = list(pairs)
    groups = [pairs[start : start + per_block] for start in range(0, len(pairs), per_block)]
    return assemble([(group[-1][0], sealed(block(group), kind)) for group in groups], index_kind=kind)


def entry(array: np.ndarray, offset: int = 0, dtype: int = 1, **fields: Any) -> Any:
    """Return the index entry of a numeric array; ``fields`` overrides what is true."""
    data = array.tobytes()
    true = {"dtype": dtype, "offset": offset, "size": len(data), "crc32c": masked_crc(data), **fields}
    message = BundleEntry(**true)
    message.shape.SetInParent()
    for size in array.shape:
        message.shape.dim.add(size=size)
    return message


def header(**fields: Any) -> Any:
    message = BundleHeader(**{"num_shards": 1, **fields})
    message.version.producer = 1
    return message


def write_bundle(prefix: Path, entries: Mapping[bytes, Any], data: bytes, head: Any = None) -> Path:
    """Write a V2 checkpoint with one data file."""
    pairs = [(b"", (head or header()).SerializeToString())]
    pairs += [(key, entries[key].SerializeToString()) for key in sorted(entries)]
    Path(f"{prefix}.index").write_bytes(table(pairs))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    return prefix


def write_slices(path: Path, messages: Mapping[bytes, Any], kind: int = 0) -> Path:
    """Write a V1 checkpoint; the empty key holds the list of tensors."""
    pairs = [(key, messages[key].SerializeToString()) for key in sorted(messages)]
    path.write_bytes(table(pairs, kind, per_block=1))
    return path


def float_slices(name: str, count: int, values: bytes, key: bytes) -> dict[bytes, Any]:
    """Return the two messages of a V1 checkpoint that holds one float32 vector in one piece."""
    listing, piece = TensorSlices(), TensorSlices()
    listing.meta.versions.producer = 1
    tensor = listing.meta.tensor.add(name=name.encode(), type=1)
    tensor.shape.dim.add(size=count)
    tensor.slice.add().extent.add()
    piece.data.name = name.encode()
    piece.data.slice.extent.add()
    piece.data.data.float_val.append(values)
    return {b"": listing, key: piece}


def fingerprint(array: np.ndarray) -> tuple[str, tuple[int, ...], Any]:
    """Return what makes two arrays the same, bit by bit, NaN and signed zero included."""
    return array.dtype.str, array.shape, array.tolist() if array.dtype == object else array.tobytes()


def contents(path: Path) -> dict[str, Any]:
    """Return everything a checkpoint says, in order."""
    return {name: fingerprint(array) for name, array in read_checkpoint(path).items()}


def outcome(path: Path) -> dict[str, Any] | str:
    """Return the contents, or the one clear sentence why there are none; any other exception goes through."""
    try:
        return contents(path)
    except (CheckpointError, FileNotFoundError) as error:
        sentence = str(error)
        assert path.name.split(".")[0] in sentence, f"names no file: {sentence}"
        assert sentence.endswith((".", "?")), f"is no sentence: {sentence}"
        assert "\n" not in sentence
        return sentence
