"""V2 checkpoints: ``PREFIX.index`` names the tensors, ``PREFIX.data-0000i-of-0000n`` hold their bytes.

The index is a table: the empty key holds the header, a variable's name holds its type, shape and place, and the pieces
of a partitioned variable stand under keys of their own. Every tensor has a crc32c, checked when it is read.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.tf1.dtypes import Codec, codec_of, shape_of
from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.opened import File, crc32c, masked
from attn_core.weights.files.tf1.pieces import extents_of, join, piece_key, region, shape_of_region
from attn_core.weights.files.tf1.protos import BundleEntry, BundleHeader, parse
from attn_core.weights.files.tf1.table import Table
from attn_core.weights.files.tf1.varint import varint

VERSION = 1


class Bundle:
    """The tensors of a V2 checkpoint.

    **Raises** `CheckpointError`: a file is damaged or holds something unknown; `FileNotFoundError`: the index is
    missing, or, when a tensor is read, the shard that holds it.
    """

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.path = Path(f"{prefix}.index")
        self._entries: dict[bytes, Any] = {}
        self._names: dict[str, bytes] = {}
        self._shards = 0
        for key, value in Table(self.path):
            if key == b"":
                self._shards = self._header(value)
            elif not self._shards:
                break
            else:
                self._entries[key] = parse(BundleEntry, value, f"{self.path}: the entry {key!r}")
                if key[0] != 0:  # a piece of a partitioned variable is no variable
                    self._names[self._name(key)] = key
        if not self._shards:
            raise CheckpointError(f"{self.path} is not the index of a checkpoint: it has no header.")

    def names(self) -> list[str]:
        """Return the names of all variables, in the order of the index."""
        return list(self._names)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable."""
        return shape_of(self._entries[self._names[name]].shape, self._where(name))

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of the array that ``read`` gives."""
        return codec_of(self._entries[self._names[name]].dtype, self._where(name)).result

    def read(self, name: str) -> NDArray[Any]:
        """Return a variable, a new array; the pieces of a partitioned one are joined."""
        where, shape = self._where(name), self.shape(name)
        entry = self._entries[self._names[name]]
        codec = codec_of(entry.dtype, where)
        if not entry.slices:
            return self._tensor(entry, codec, shape, where)
        extents = [extents_of(piece) for piece in entry.slices]
        places = [region(piece, shape, where) for piece in extents]
        pieces = [self._piece(name, piece_key(name, piece), entry) for piece in extents]
        room = sum(self._shard(number).size for number in {piece.shard_id for piece in pieces}) // codec.itemsize

        def read(number: int) -> NDArray[Any]:
            return self._tensor(pieces[number], codec, shape_of_region(places[number]), where)

        return join(shape, codec.result, places, read, room, where)

    def _piece(self, name: str, key: bytes, full: Any) -> Any:
        """Return the entry of one piece."""
        entry = self._entries.get(key)
        if entry is None or entry.dtype != full.dtype or entry.slices:
            raise CheckpointError(f"{self._where(name)} is partitioned, and the index lacks one of its pieces.")
        return entry

    def _tensor(self, entry: Any, codec: Codec, shape: tuple[int, ...], where: str) -> NDArray[Any]:
        """Read the tensor of one entry, which must have the given shape."""
        if shape_of(entry.shape, where) != shape:
            raise CheckpointError(f"{where} has a piece of the wrong shape: the index contradicts itself.")
        if codec.is_string:
            return self._strings(entry, math.prod(shape), where).reshape(shape)
        if entry.size != math.prod(shape) * codec.itemsize:
            raise CheckpointError(f"{where} takes {entry.size} bytes, which does not fit {codec.name} {shape}.")
        chunks = self._shard(entry.shard_id).chunks(entry.offset, entry.size, where)
        raw, crc, position = np.empty(entry.size, np.uint8), 0, 0
        for chunk in chunks:
            raw[position : position + len(chunk)] = np.frombuffer(chunk, np.uint8)
            crc, position = crc32c(chunk, crc), position + len(chunk)
        self._check(crc, entry, where)
        return codec.decode(raw).reshape(shape)

    def _strings(self, entry: Any, count: int, where: str) -> NDArray[Any]:
        """Read strings: all lengths, a crc32c of the lengths, then all bytes."""
        data = self._shard(entry.shard_id).read(entry.offset, entry.size, where)
        if count + 4 > len(data):
            raise CheckpointError(f"{where} takes {entry.size} bytes, too few for {count} strings.")
        lengths, position = [], 0
        for _ in range(count):
            length, position = varint(data, position, where)
            lengths.append(length)
        start = position + 4
        if start + sum(lengths) != len(data):
            raise CheckpointError(f"{where} is damaged: its strings do not fill its {entry.size} bytes.")
        crc = crc32c(b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths))
        if data[position:start] != masked(crc).to_bytes(4, "little"):
            raise CheckpointError(f"{where} is damaged: the checksum of its lengths does not match.")
        self._check(crc32c(data[position:], crc), entry, where)
        strings = np.empty(count, object)
        for number, length in enumerate(lengths):
            strings[number], start = data[start : start + length], start + length
        return strings

    def _check(self, crc: int, entry: Any, where: str) -> None:
        if masked(crc) != entry.crc32c:
            path = self._shard(entry.shard_id).path
            raise CheckpointError(f"{path} is damaged: the checksum of {where} does not match.")

    def _shard(self, number: int) -> File:
        if not 0 <= number < self._shards:
            raise CheckpointError(f"{self.path} names the data file {number}, but says there are {self._shards}.")
        return File(Path(f"{self.prefix}.data-{number:05d}-of-{self._shards:05d}"))

    def _header(self, value: memoryview) -> int:
        """Check the header; return the number of data files."""
        header = parse(BundleHeader, value, f"{self.path}: the header")
        if header.endianness != 0:
            raise CheckpointError(f"{self.path} was written on a big-endian machine; save it again on another one.")
        check_version(header.version, self.path)
        return max(int(header.num_shards), 0)

    def _name(self, key: bytes) -> str:
        try:
            return key.decode()
        except UnicodeDecodeError:
            raise CheckpointError(f"{self.path} holds the name {key!r}, which is not valid UTF-8.") from None

    def _where(self, name: str) -> str:
        return f"{self.prefix}: {name!r}"


def check_version(version: Any, path: Path) -> None:
    """Raise CheckpointError when a reader of version 1, the only one so far, must not read this file."""
    if version.min_consumer > VERSION or VERSION in version.bad_consumers:
        raise CheckpointError(f"{path} is of a newer format (readers from version {version.min_consumer} on).")
