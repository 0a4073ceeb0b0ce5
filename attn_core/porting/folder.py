"""Folders that appear whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(folder: Path, manifest: str) -> Iterator[Path]:
    """Give an empty folder to write to, which takes the place of `folder` when the block ends without an error.

    The manifest is a JSON file that the caller writes: its "made_by" starts with "attn ", its "files" name every other
    file in the folder. A link to a folder stays a link.
    **Raises** `FileExistsError`, before anything is written, if the folder holds anything that an earlier manifest
    does not name: that is never deleted; `OSError` with the folder's name if it cannot be written.
    """
    require_own(folder, manifest)
    target = Path(os.path.realpath(folder))
    base = next(parent for parent in target.parents if parent.is_dir())
    try:
        with tempfile.TemporaryDirectory(dir=base, prefix=".attn.") as scratch:
            fresh, old = Path(scratch, "new"), Path(scratch, "old")
            fresh.mkdir()
            yield fresh
            require_own(folder, manifest)
            _swap(fresh, target, old)
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
    try:
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
