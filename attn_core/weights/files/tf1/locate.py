"""Finding the files of a checkpoint from the path a user has."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from google.protobuf import text_format

from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.opened import File
from attn_core.weights.files.tf1.protos import CheckpointState

_MAX_STATE = 16 << 20
_PART = re.compile(r"(.+)\.(?:index|meta|data-\d{5}-of-\d{5})")


@dataclass(frozen=True)
class Location:
    """The files of one checkpoint.

    **Fields**
        format: V2 (``PREFIX.index`` and data files) or V1 (one file, the prefix itself).
        prefix: what TensorFlow calls the checkpoint's path.
        meta: ``PREFIX.meta``, the graph saved with it, if it is there.
        saved_model: the ``saved_model.pb`` this checkpoint belongs to, if any.
    """

    format: Literal["V1", "V2"]
    prefix: Path
    meta: Path | None = None
    saved_model: Path | None = None


def locate(path: str | os.PathLike[str]) -> Location:
    """Find the checkpoint meant by ``path``.

    That is a V2 prefix or one of its files, a V1 file, a SavedModel folder or the ``variables`` folder in it, or a
    folder with TensorFlow's text file ``checkpoint`` (or that file), which names the latest one.

    **Raises** `CheckpointError`: the text file ``checkpoint`` cannot be read; `FileNotFoundError`: there is no
    checkpoint at this path.
    """
    path = Path(path)
    try:
        found = _in_folder(path) if path.is_dir() else _latest(path) if _is_state(path) else _at(path)
    except FileNotFoundError:
        raise
    except OSError as error:  # such as a name longer than the system allows
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None
    if found is None:
        raise FileNotFoundError(_nothing_at(path))
    return found


def _is_state(path: Path) -> bool:
    return path.name == "checkpoint" and path.is_file()


def _at(path: Path) -> Location | None:
    """Return the checkpoint with this prefix, or to which this file belongs."""
    part = _PART.fullmatch(path.name)
    prefix = path.with_name(part[1]) if part and path.is_file() else path
    meta = Path(f"{prefix}.meta")
    found = meta if meta.is_file() else None
    if Path(f"{prefix}.index").is_file():
        saved_model = prefix.parent.parent / "saved_model.pb"
        inside = prefix.parent.name == prefix.name == "variables" and saved_model.is_file()
        return Location("V2", prefix, found, saved_model if inside else None)
    return Location("V1", prefix, found) if prefix.is_file() else None


def _in_folder(folder: Path) -> Location | None:
    if _is_state(folder / "checkpoint"):
        return _latest(folder / "checkpoint")
    return _at(folder / "variables" / "variables") or _at(folder / "variables")


def _latest(state: Path) -> Location:
    """Follow TensorFlow's text file; where its folder was moved, look for the same name beside it."""
    named = _named(state)
    found = _at(state.parent / named) or _at(state.parent / named.name)
    if found is None:
        raise FileNotFoundError(f"{state} names the checkpoint {named}, which is neither there nor beside it.")
    return found


def _named(state: Path) -> Path:
    file = File(state)
    if file.size > _MAX_STATE:
        raise CheckpointError(f"{state} is too long for TensorFlow's text file; give the checkpoint's prefix instead.")
    try:
        text = file.read(0, file.size, "its text").decode()
        named = text_format.Parse(text, CheckpointState()).model_checkpoint_path
    except (UnicodeDecodeError, text_format.ParseError):
        named = b""
    if not named or b"\x00" in named:
        raise CheckpointError(f'{state} has no line model_checkpoint_path: "..."; give a checkpoint\'s prefix instead.')
    return Path(os.fsdecode(named))


def _nothing_at(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    near = sorted(str(file.with_suffix("")) for file in folder.glob("*.index")) if folder.is_dir() else []
    hint = f"; did you mean {' or '.join(near[:3])}?" if near else "."
    return (
        f"{path} is no checkpoint: give a prefix such as model.ckpt-200 (beside its .index file), a V1 file, "
        f"a SavedModel folder, or a folder with TensorFlow's file 'checkpoint'{hint}"
    )
