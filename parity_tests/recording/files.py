"""A case folder on disk: the same recording has the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recording.subject import RecordError


def write(folder: Path, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray], replace: bool = False) -> bool:
    """Write `meta.json` and `io.npz`, and return whether anything changed.

    **Raises** `RecordError` if another recording is there: one that tests rely on is never edited.
    """
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    files = {"meta.json": described(meta).encode(), "io.npz": packed.getvalue()}
    before = {name: (folder / name).read_bytes() for name in files if (folder / name).exists()}
    if before and before != files and not replace:
        raise RecordError(f"{folder} holds another recording; give another folder, or --replace if no test needs it.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return before != files


def described(meta: Mapping[str, Any]) -> str:
    """Return the text of `meta.json`: a line for each key, and for each tensor."""
    lines = [f" {json.dumps(key)}: {_value(value)}" for key, value in meta.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False)
