"""V1 checkpoints: one table; the empty key lists all tensors with their pieces, the other keys hold the pieces.

A tensor that is not partitioned is one piece. Its numbers lie in the typed fields of a protocol buffer, so a piece is
in memory about four times while it is read. The table's block checksums cover everything.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.tf1.bundle import check_version
from attn_core.weights.files.tf1.dtypes import Codec, codec_of, shape_of
from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.pieces import Extents, extents_of, join, piece_key, region, shape_of_region
from attn_core.weights.files.tf1.protos import TensorSlices, parse
from attn_core.weights.files.tf1.table import SNAPPY_GROWTH, Table


class SliceFile:
    """The tensors of a V1 checkpoint.

    **Raises** `CheckpointError`: the file is damaged or holds something unknown; `FileNotFoundError`: there is no such
    file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._table = Table(path)
        self._tensors: dict[str, Any] = {}
        value = self._table.find(b"")
        listing = parse(TensorSlices, b"" if value is None else value, f"{path}: the list of tensors")
        if not listing.HasField("meta"):
            raise CheckpointError(f"{path} is not a V1 checkpoint: it has no list of tensors.")
        check_version(listing.meta.versions, path)
        for tensor in listing.meta.tensor:
            name = self._name(tensor.name)
            if name in self._tensors:
                raise CheckpointError(f"{path} is damaged: it lists {name!r} twice.")
            self._tensors[name] = tensor

    def names(self) -> list[str]:
        """Return the names of all variables, sorted."""
        return sorted(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable."""
        return shape_of(self._tensors[name].shape, self._where(name))

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of the array that ``read`` gives."""
        return codec_of(self._tensors[name].type, self._where(name)).result

    def read(self, name: str) -> NDArray[Any]:
        """Return a variable, a new array; the pieces of a partitioned one are joined."""
        where, shape = self._where(name), self.shape(name)
        codec = codec_of(self._tensors[name].type, where)
        extents = [extents_of(piece) for piece in self._tensors[name].slice]
        places = [region(piece, shape, where) for piece in extents]

        def read(number: int) -> NDArray[Any]:
            count = math.prod(shape_of_region(places[number]))
            return self._piece(name, extents[number], codec, count).reshape(shape_of_region(places[number]))

        if len(places) == 1 and shape_of_region(places[0]) == shape:
            return read(0)
        room = int(self._table.file.size * SNAPPY_GROWTH)  # a number takes at least a byte
        return join(shape, codec.result, places, read, room, where)

    def _piece(self, name: str, extents: Extents, codec: Codec, count: int) -> NDArray[Any]:
        """Return the numbers of one piece, flat."""
        where = self._where(name)
        value = self._table.find(piece_key(name, extents))
        if value is None:
            raise CheckpointError(f"{where} lacks its piece {list(extents)}.")
        piece = parse(TensorSlices, value, where).data
        if piece.name != name.encode() or extents_of(piece.slice) != extents:
            raise CheckpointError(f"{where} is damaged: its key leads to {piece.name!r} {extents_of(piece.slice)}.")
        values = numbers(getattr(piece.data, codec.field), codec, where)
        if values.size != count:
            raise CheckpointError(f"{where} should have a piece of {count} values and has {values.size}.")
        return values

    def _name(self, name: bytes) -> str:
        try:
            return name.decode()
        except UnicodeDecodeError:
            raise CheckpointError(f"{self.path} holds the name {name!r}, which is not valid UTF-8.") from None

    def _where(self, name: str) -> str:
        return f"{self.path}: {name!r}"


def numbers(field: Any, codec: Codec, where: str) -> NDArray[Any]:
    """Turn a field of ``Values`` into a flat array.

    Floats come as packed bytes, halves as integers that spell their bits, other numbers as themselves.
    """
    if codec.is_string:
        strings = np.empty(len(field), object)
        strings[:] = list(field)
        return strings
    if codec.field in ("float_val", "double_val", "scomplex_val", "dcomplex_val"):
        packed = b"".join(field)
        if len(packed) % codec.itemsize:
            raise CheckpointError(f"{where} is damaged: it ends inside a number.")
        return codec.decode(np.frombuffer(bytearray(packed), np.uint8))
    stored = np.dtype("<u2") if codec.field == "half_val" else np.dtype(codec.stored)
    wide = np.fromiter(field, np.uint64 if codec.field == "uint64_val" else np.int64, len(field))
    narrow = wide.astype(stored)
    if not np.array_equal(narrow, wide):
        raise CheckpointError(f"{where} is damaged: it holds a number that is no {codec.name}.")
    return codec.decode(narrow.view(np.uint8))
