"""Folders that appear whole or not at all."""

from __future__ import annotations

import ctypes
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attn_core.porting.scratch import NEW, OLD, scratch

AT_CWD, EXCHANGE = -100, 2  # of Linux


@contextmanager
def replacing(folder: Path, manifest: str) -> Iterator[Path]:
    """Give an empty folder to write to, which takes the place of `folder` when the block ends without an error.

    The manifest is a JSON file that the caller writes: its "made_by" starts with "attn ", its "files" name every other
    file in the folder. A link to a folder stays a link, and the folder and its files keep their modes.
    **Raises** `FileExistsError`, before anything is written, if the folder holds anything that an earlier manifest
    does not name: that is never deleted; `OSError` with the folder's name if it cannot be written.
    """
    require_own(folder, manifest)
    target = Path(os.path.realpath(folder))
    base = next(parent for parent in target.parents if parent.is_dir())
    try:
        with scratch(base, target) as aside:
            fresh = aside / NEW
            fresh.mkdir()
            yield fresh
            require_own(folder, manifest)
            _swap(fresh, target, aside / OLD)
    except OSError as error:
        if error.errno is None:  # one of our own sentences
            raise
        raise OSError(error.errno, error.strerror, str(folder)) from None


def require_own(folder: Path, manifest: str) -> None:
    """Raise `FileExistsError` unless the folder is absent, empty, or just what its manifest names."""
    if wrong := next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), None):
        raise FileExistsError(f"{wrong} is no folder; give a folder for the output.")
    if not folder.exists():
        return
    if folder.is_mount() or folder.resolve() == Path.cwd():
        raise FileExistsError(
            f"{folder} is the current folder or a mount point, which cannot be replaced: give a folder inside it."
        )
    own = _own(folder / manifest)
    if foreign := sorted(path.name for path in folder.iterdir() if path.name not in own or not _is_plain(path)):
        raise FileExistsError(
            f"{folder} holds {foreign[0]!r}, which this command did not write: empty it or give another folder."
        )


def _own(manifest: Path) -> set[str]:
    """Return the names of the manifest and of what was written with it; nothing if it is not one of ours."""
    try:
        content = json.loads(manifest.read_text() if _is_plain(manifest) else "")
        return {manifest.name, *map(str, content["files"])} if content["made_by"].startswith("attn ") else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _swap(fresh: Path, folder: Path, old: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        _keep_modes(fresh, folder)
        if exchanged(fresh, folder):
            return
    try:
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)


def _keep_modes(fresh: Path, folder: Path) -> None:
    """Give the folder, and each file that was in it before, the mode that it had."""
    for path in (folder, *folder.iterdir()):
        again = fresh / path.relative_to(folder)
        if again.exists():
            again.chmod(stat.S_IMODE(path.stat().st_mode))


def exchanged(one: Path, other: Path) -> bool:
    """Let two folders take each other's place at once, and say whether the system could.

    With two renames there is a moment in which neither is there, and a process may be killed in it.
    """
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE) == 0
