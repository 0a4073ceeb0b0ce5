"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

from attn_core.weights.files.locks import PREFIX, locked

SUFFIX = ".tmp"


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the file, then put it in its place; a link stays a link, and a file keeps its mode.

    What an earlier call left that was killed is removed.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{PREFIX}{uuid.uuid4().hex}{SUFFIX}")
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.is_file() else None
        with ExitStack() as stack:
            with locked(target.parent, wait=True) as held:  # so that nobody removes this one before it is locked
                if held:
                    _clean(target.parent)
                temporary.touch(0o600 if mode is not None else 0o666)  # nobody reads meanwhile what they may not later
                stack.enter_context(locked(temporary))
            temporary.write_bytes(content)
            if mode is not None:
                temporary.chmod(mode)
            os.replace(temporary, target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _clean(folder: Path) -> None:
    """Remove what nobody is writing to any more."""
    for left in folder.glob(f"{PREFIX}*{SUFFIX}"):
        if left.is_file() and not left.is_symlink():
            with locked(left) as free, suppress(OSError):
                if free:
                    left.unlink()
