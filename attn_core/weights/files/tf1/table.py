"""The sorted table that holds a checkpoint's index (V2) or all of it (V1).

Layout: data blocks, a meta block (unused), an index block, a footer of 48 bytes. A block is compressed or not and
followed by its kind and a crc32c of both. The index block maps a key not below the last key of a data block to the
place of that block. The footer gives the place of the index block and ends in a magic number.
"""

import bisect
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cramjam

from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.opened import File, crc32c, masked
from attn_core.weights.files.tf1.other_formats import refuse_other_format
from attn_core.weights.files.tf1.varint import varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
_PLAIN, _SNAPPY = 0, 1
SNAPPY_GROWTH = 64 / 3  # a copy takes at least 3 bytes and makes at most 64
_RESTART = 16  # TensorFlow writes a whole key at least this often, so keys expand by no more
_CACHED = 1 << 20  # blocks up to this size are kept, one at a time: they hold many small tensors


class Handle(NamedTuple):
    """The place of a block in the file, without its trailer."""

    offset: int
    size: int


class Table:
    """A table file: iterate over it for all (key, value) pairs in order, or ``find`` one key.

    **Raises** `CheckpointError`: the file is not such a table, or a part of it that was read is damaged;
    `FileNotFoundError`: there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.file = File(path)
        index = self._block(self._footer(), "the index block")
        self._last: list[bytes] = []
        self._handles: list[Handle] = []
        for key, value in entries(index, f"{path}: the index block"):
            self._last.append(key)
            self._handles.append(self._handle(value))
        self._cached: tuple[int, dict[bytes, memoryview]] = (-1, {})

    def __iter__(self) -> Iterator[tuple[bytes, memoryview]]:
        for number in range(len(self._handles)):
            yield from self._entries(number)

    def find(self, key: bytes) -> memoryview | None:
        """Return the value stored under ``key``, or None."""
        number = bisect.bisect_left(self._last, key)
        if number == len(self._last):
            return None
        if number != self._cached[0]:
            self._cached = (-1, {})  # let the old block go before the new one comes
            block = dict(self._entries(number))
            if self._handles[number].size > _CACHED:
                return block.get(key)
            self._cached = (number, block)
        return self._cached[1].get(key)

    def _entries(self, number: int) -> Iterator[tuple[bytes, memoryview]]:
        """Yield the pairs of one data block; its keys must lie where the index says."""
        what = f"the block at byte {self._handles[number].offset}"
        block = self._block(self._handles[number], what)
        for key, value in entries(block, f"{self.file.path}: {what}"):
            if key > self._last[number] or (number and key <= self._last[number - 1]):
                raise CheckpointError(f"{self.file.path}: {what} is damaged: it holds a key of another block.")
            yield key, value

    def _footer(self) -> Handle:
        """Return the place of the index block."""
        path, size = self.file.path, self.file.size
        footer = self.file.read(max(size - FOOTER, 0), min(FOOTER, size), "the footer")
        if size < FOOTER or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
            refuse_other_format(self.file)
            raise CheckpointError(
                f"{path} is cut short or not a TensorFlow checkpoint: it does not end in a table's magic number."
            )
        position = 0
        for _ in range(2):  # the offset and size of the meta block, which holds nothing
            _, position = varint(footer[:40], position, f"{path}: the footer")
        offset, position = varint(footer[:40], position, f"{path}: the footer")
        length, _ = varint(footer[:40], position, f"{path}: the footer")
        return Handle(offset, length)

    def _handle(self, value: memoryview) -> Handle:
        """Decode the place of a data block; blocks may not overlap, or a small file could keep us busy for ever."""
        where = f"{self.file.path}: the index block"
        offset, position = varint(value, 0, where)
        size, position = varint(value, position, where)
        previous = self._handles[-1] if self._handles else Handle(-TRAILER, 0)
        if position != len(value) or offset < previous.offset + previous.size + TRAILER:
            raise CheckpointError(f"{where} is damaged: the block at byte {offset} overlaps another.")
        return Handle(offset, size)

    def _block(self, handle: Handle, what: str) -> bytes:
        """Return the contents of a block, checked and uncompressed."""
        content = self.file.read(handle.offset, handle.size, what)
        kind, crc = struct.unpack("<BI", self.file.read(handle.offset + handle.size, TRAILER, what))
        where = f"{self.file.path}: {what}"
        if masked(crc32c(bytes([kind]), crc32c(content))) != crc:
            raise CheckpointError(f"{where} is damaged: its checksum does not match.")
        if kind == _PLAIN:
            return content
        if kind == _SNAPPY:
            return unsnap(content, where)
        raise CheckpointError(f"{where} is compressed in an unknown way ({kind}); only plain and snappy blocks exist.")


def unsnap(content: bytes, where: str) -> bytes:
    """Uncompress a snappy block, unless it claims a size that snappy cannot reach."""
    try:
        if cramjam.snappy.decompress_raw_len(content) > SNAPPY_GROWTH * len(content):
            raise CheckpointError(f"{where} is damaged: it claims to grow more than snappy can.")
        return bytes(cramjam.snappy.decompress_raw(content))
    except cramjam.DecompressionError:
        raise CheckpointError(f"{where} is damaged: it is not valid snappy data.") from None


def entries(block: bytes, where: str) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the (key, value) pairs of an uncompressed block; a key stores only how it differs from the one before.

    A block ends in the positions of its restarts (keys stored whole) and their number. They serve a search inside the
    block; we read in order and only step over them.
    """
    body = _body(block, where)
    position, key, expanded = 0, b"", 0
    while position < len(body):
        start = position
        shared, position = varint(body, position, where)
        unshared, position = varint(body, position, where)
        length, position = varint(body, position, where)
        middle, end = position + unshared, position + unshared + length
        expanded += shared + unshared
        if shared > len(key) or end > len(body) or expanded > _RESTART * len(block):
            raise CheckpointError(f"{where} is damaged: the entry at byte {start} of it does not fit.")
        following = key[:shared] + bytes(body[position:middle])
        if start and following <= key:
            raise CheckpointError(f"{where} is damaged: its keys are not in order.")
        yield following, body[middle:end]
        key, position = following, end


def _body(block: bytes, where: str) -> memoryview:
    """Return the part of a block before its restarts."""
    restarts = struct.unpack("<I", block[-4:])[0] if len(block) >= 4 else -1
    end = len(block) - 4 - 4 * restarts
    if restarts < 0 or end < 0:
        raise CheckpointError(f"{where} is damaged: its list of restarts does not fit into it.")
    return memoryview(block)[:end]
