"""Zip archives from outside, which hold what NumPy, PyTorch and Keras save: checked before anything in them is used."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from attn_core.weights.files.arrays import brief, plain, require_small
from attn_core.weights.files.errors import DialectError

HEADER = 30  # bytes of a member's own header, before its name: where there is less room, no member is hidden
STEP = 1 << 20

# What zipfile and its decompressors raise on bytes that are not theirs.
DAMAGES = (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, RuntimeError, zlib.error)


def opened(path: Path, kind: str) -> zipfile.ZipFile:
    """Open an archive whose directory names each member once, and all of them. **Raises** `DialectError`, `OSError`.

    `kind` is what the file should be, as ".npz".
    """
    held = path.stat().st_size
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DialectError(f"{path} is cut short or no {kind} file ({brief(error)}).") from None
    try:
        _require_names_once(path, archive)
        require_small(path, sum(info.file_size for info in archive.infolist()), held)
        _require_whole(path, archive)
    except DAMAGES as error:
        archive.close()
        if isinstance(error, DialectError):
            raise
        raise DialectError(f"{path}: its directory is damaged ({brief(error)}).") from None
    return archive


def require_undamaged(path: Path, archive: zipfile.ZipFile) -> None:
    """Read every member once, piece by piece, and compare its crc. **Raises** `DialectError`."""
    for info in archive.infolist():
        try:
            with archive.open(info) as member:
                while member.read(STEP):
                    pass
        except DAMAGES as error:
            raise DialectError(f"{path}: {plain(info.filename)} is damaged ({brief(error)}).") from None


def _require_names_once(path: Path, archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise DialectError(f"{path}: {plain(twice)} is in it twice, and only one of the two would be read.")


def _require_whole(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise unless the members fill the file up to the directory: none is hidden, and no two share bytes."""
    end = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        _require_next(path, plain(info.filename), end, info.header_offset)
        end = _start(archive, info) + info.compress_size
    _require_next(path, "the directory", end, archive.start_dir)


def _require_next(path: Path, name: str, end: int, start: int) -> None:
    # What follows a member, if anything, is a note of its sizes, shorter than a header.
    if not 0 <= start - end < HEADER:
        what = f"{start - end:,} bytes before it are no member's" if start > end else "it overlaps what is before it"
        raise DialectError(f"{path}: its directory is damaged: {name} starts at byte {start:,}, and {what}.")


def _start(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes begin: behind its own header, whose length is not the directory's to say."""
    stream = archive.fp
    assert stream is not None
    stream.seek(info.header_offset)
    header = stream.read(HEADER)
    if len(header) < HEADER or header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile(f"there is no member at byte {info.header_offset:,}")
    name, extra = struct.unpack("<HH", header[26:30])
    return int(info.header_offset + HEADER + name + extra)
