"""A folder to write to before it takes its place, and what becomes of it when the run is killed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from attn_core.weights.files.locks import PREFIX, locked

NEW, OLD, NOTE = "new", "old", "target.json"  # what is in it: a note says which folder it is for


@contextmanager
def scratch(base: Path, target: Path) -> Iterator[Path]:
    """Give a folder in `base`, for what will be `target`; what a run that was killed has left there is removed first.

    If that one had moved the old result away, it comes back.
    """
    with ExitStack() as stack:
        with locked(base, wait=True) as held:  # so that nobody removes this one before it is locked
            if held:
                _clean(base)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=base, prefix=PREFIX)))
            stack.enter_context(locked(folder))
            note = {"made_by": "attn", "target": str(target.relative_to(base))}
            (folder / NOTE).write_text(json.dumps(note))
        yield folder


def _clean(base: Path) -> None:
    for left in base.glob(f"{PREFIX}*"):
        if left.is_symlink() or not left.is_dir():
            continue
        with locked(left) as free:
            target = _target(left) if free else None
            if target is None:
                continue
            old, place = left / OLD, base / target
            if old.is_dir() and not place.exists():
                with suppress(OSError):
                    old.rename(place)
            shutil.rmtree(left, ignore_errors=True)


def _target(left: Path) -> Path | None:
    """Return which folder something was written for, or nothing for what is not ours: that is never deleted."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        held = {path.name for path in left.iterdir()}
        if not held:  # killed before anything was in it
            return Path(left.name)
        note = json.loads((left / NOTE).read_text()) if NOTE in held else {}
        target = Path(note["target"])
        inside = not target.is_absolute() and ".." not in target.parts
        if note["made_by"] == "attn" and inside and held <= {NEW, OLD, NOTE}:
            return target
    return None
