"""Locks of files and folders, by which what a run that was killed has left is told from what another one is using."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows nothing is known to be left, so that all of it stays
    fcntl = None  # type: ignore[assignment]

PREFIX = ".attn."  # of what is there while something is written


@contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of a file or folder, which a killed process gives back; yield whether it is held."""
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY) if fcntl else None
        if descriptor is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = descriptor is not None
    except OSError:  # another has it, or this file system has none
        held = False
    try:
        yield held
    finally:
        if descriptor is not None:
            os.close(descriptor)
