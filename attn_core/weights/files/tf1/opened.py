"""Reading a file by position: nothing is read, or allocated, that the file does not hold.

**Raises** `CheckpointError`: the bytes asked for do not lie inside the file; `FileNotFoundError`: there is no such
file.
"""

from collections.abc import Iterator
from pathlib import Path

import google_crc32c

from attn_core.weights.files.tf1.errors import CheckpointError

_CHUNK = 1 << 20


def masked(crc: int) -> int:
    """Return a crc32c as TensorFlow stores it: turned right by 15 bits, plus a constant."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes, crc: int = 0) -> int:
    """Return the crc32c of ``data``, continuing from ``crc``."""
    return int(google_crc32c.extend(crc, data))


class File:
    """A regular file of known size, opened for each read only."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise CheckpointError(f"{path} is a folder where a file of a checkpoint was expected.")
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; a checkpoint is complete only with all its files.")
        if not path.is_file():
            raise CheckpointError(f"{path} is not a regular file; a checkpoint cannot be read from a device or pipe.")
        self.path = path
        self.size = path.stat().st_size

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return ``size`` bytes from ``offset``; ``what`` names them in the error when the file ends before."""
        self._check(offset, size, what)
        with self.path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        if len(data) != size:
            raise CheckpointError(f"{self.path} became shorter while {what} was read.")
        return data

    def chunks(self, offset: int, size: int, what: str) -> Iterator[bytes]:
        """Return the same bytes in pieces of at most one MiB; the place is checked at once, not at the first piece."""
        self._check(offset, size, what)
        end = offset + size
        return (self.read(start, min(_CHUNK, end - start), what) for start in range(offset, end, _CHUNK))

    def _check(self, offset: int, size: int, what: str) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise CheckpointError(
                f"{self.path} is damaged or cut short: {what} should be the {size} bytes from {offset}, "
                f"but the file has {self.size} bytes."
            )
