"""Partitioned variables: the pieces of a tensor, their keys in a table, and how they are joined.

A piece is given by its extent along each axis, (start, length), where (0, -1) means the whole axis. Both formats store
a piece under a key that spells its tensor's name and its extents so that keys sort like what they spell.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.tf1.errors import CheckpointError

Extents = tuple[tuple[int, int], ...]
Slices = tuple[slice, ...]

WHOLE = (0, -1)


def extents_of(proto: Any) -> Extents:
    """Return the extents in a TensorSliceProto; a length that is not set stands for the whole axis."""
    return tuple((extent.start, extent.length if extent.HasField("length") else -1) for extent in proto.extent)


def region(extents: Extents, shape: tuple[int, ...], where: str) -> Slices:
    """Return the place of a piece in the full tensor.

    **Raises** `CheckpointError`: the piece does not lie inside, ``where`` opens the message.
    """
    resolved = [(0, size) if extent == WHOLE else extent for extent, size in zip(extents, shape, strict=False)]
    ends = [start + length for start, length in resolved]
    inside = all(start >= 0 and length >= 0 for start, length in resolved)
    if len(extents) != len(shape) or not inside or any(end > size for end, size in zip(ends, shape, strict=True)):
        raise CheckpointError(f"{where} has a piece {list(extents)} outside of its shape {shape}.")
    return tuple(slice(start, end) for (start, _), end in zip(resolved, ends, strict=True))


def shape_of_region(place: Slices) -> tuple[int, ...]:
    """Return the shape of a piece."""
    return tuple(axis.stop - axis.start for axis in place)


def join(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    places: Sequence[Slices],
    read: Callable[[int], NDArray[Any]],
    room: int,
    where: str,
) -> NDArray[Any]:
    """Put the pieces ``read(0)``, ``read(1)``, ... into their places; they must cover the tensor exactly once.

    **Raises** `CheckpointError`: they do not, or the tensor has more than the ``room`` numbers that the files can hold.
    """
    count = math.prod(shape)
    # Equal volumes and full coverage together exclude an overlap.
    if count != sum(math.prod(shape_of_region(place)) for place in places):
        raise CheckpointError(f"{where} has pieces that do not add up to its shape {shape}.")
    if count > room:
        raise CheckpointError(f"{where} has the shape {shape}, which is larger than its files.")
    full, covered = np.empty(shape, dtype), np.zeros(shape, bool)
    for number, place in enumerate(places):
        full[place] = read(number)
        covered[place] = True
    if not covered.all():
        raise CheckpointError(f"{where} has pieces that overlap and leave gaps in its shape {shape}.")
    return full


def piece_key(name: str, extents: Extents) -> bytes:
    """Return the key under which a piece is stored."""
    escaped = name.encode().replace(b"\x00", b"\x00\xff")  # 0xff would be escaped too, but UTF-8 never uses it
    signed = b"".join(_signed(number) for extent in extents for number in extent)
    return b"\x00" + escaped + b"\x00\x01" + _unsigned(len(extents)) + signed


def _unsigned(number: int) -> bytes:
    """Encode a number as its length in bytes and its bytes, the highest first; zero has none."""
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """Encode a number in n bytes: n ones, a zero, and the number in the other bits; all turned over below zero."""
    bits = number if number >= 0 else ~number
    size = bits.bit_length() // 7 + 1
    ones = (1 << size) - 1
    code = (ones << (7 * size)) | bits
    code = code if number >= 0 else ~code & ((1 << (8 * size)) - 1)
    return code.to_bytes(size, "big")
