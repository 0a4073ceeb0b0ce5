"""Converting a file of one dialect into a file of another: what `attn convert` does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attn_core import weights
from attn_core.spec import Block
from attn_core.weights import Weights, dialects
from attn_core.weights.dialects.layout import SAME, Entry
from attn_core.weights.files.errors import DialectError
from attn_core.weights.files.state import require_writable

CANONICAL = "canonical"  # a safetensors file of `attn_core.save`, which holds one block


@dataclass(frozen=True)
class ArrayRow:
    """An array of ours, and what it is called in both files behind the block's prefix."""

    ours: str
    source: str
    source_layout: str  # shape, and how it is laid out if not as ours
    target: str
    target_layout: str


@dataclass(frozen=True)
class Converted:
    """A block that was converted, what stands before its names in both files, and where its arrays are."""

    block: Block
    source: str
    target: str
    rows: tuple[ArrayRow, ...]


def convert(
    path: Path,
    source: str,
    target: str,
    out: Path,
    *,
    prefix: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Converted]:
    """Write the blocks of a file in one dialect as a file in another; all that are there, or the one behind `prefix`.

    `source` and `target` are names of dialects, or `CANONICAL`. The file is written whole or not at all. **Raises**
    `DialectError` that says what is missing, or why the dialect cannot express a block; `WeightsError`; `OSError`.
    """
    for name in (source, target):
        if name != CANONICAL:
            dialects.get(name)
    if target != CANONICAL:
        require_writable(out)
    found = _read(path, source, prefix, options or {})
    done = [_converted(block, before, source, target) for before, (block, _) in found.items()]
    if target != CANONICAL:
        state: dict[str, Any] = {}
        for each, (block, own) in zip(done, found.values(), strict=True):
            state |= dialects.write(target, block, own, each.target)
        dialects.write_file(out, state)
    elif len(done) == 1:
        weights.save(out, *next(iter(found.values())))
    else:
        held = ", ".join(repr(each.source) for each in done[:8])
        raise DialectError(f"{path}: holds {len(done)} blocks, a canonical file one: give a prefix of {held}.")
    return done


def options_of(texts: Iterable[str]) -> dict[str, Any]:
    """Return fields given as texts such as ``groups=8``. **Raises** `DialectError`."""
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            found[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found[name.strip()] = value.strip()
        if not sign or not name.strip().isidentifier():
            raise DialectError(f"{text!r} is no option: give a field and its value, as groups=8 or mode=dot_product.")
    return found


def _read(path: Path, source: str, prefix: str | None, options: Mapping[str, Any]) -> dict[str, tuple[Block, Weights]]:
    if source == CANONICAL:
        if options or prefix:
            raise DialectError(f"{path}: a canonical file says itself what it holds: leave options and prefix out.")
        return {"": weights.load(path)}
    state = dialects.read_file(path)
    try:
        if prefix is None:
            return dialects.read_all(source, state, **options)
        return {prefix: dialects.read(source, state, prefix=prefix, **options)}
    except DialectError as error:
        raise DialectError(f"{path}: {error}") from None


def _converted(block: Block, before: str, source: str, target: str) -> Converted:
    after = "" if target == CANONICAL else _prefix(before, target)
    first, second = _places(block, source), _places(block, target)
    rows = [ArrayRow(name, *_at(name, first), *_at(name, second)) for name in block.arrays()]
    return Converted(block, before, after, tuple(rows))


def _prefix(before: str, target: str) -> str:
    """Return a prefix as names of the target have it: parts are separated by points in PyTorch, by / in TensorFlow."""
    boundary = dialects.get(target).boundary[0]
    stem = before.rstrip("./_") if before and before[-1] not in dialects.get(target).boundary else before
    turned = stem.replace("/", ".") if boundary == "." else stem.replace(".", "/")
    return turned if stem == before else turned + boundary


def _places(block: Block, dialect: str) -> dict[str, Entry]:
    if dialect == CANONICAL:
        arrays = block.arrays().items()
        return {name: Entry(name, (name,), (array.shape,), SAME) for name, array in arrays}
    return {name: entry for entry in dialects.get(dialect).entries(block) for name in entry.ours}


def _at(name: str, places: Mapping[str, Entry]) -> tuple[str, str]:
    entry = places.get(name)
    if entry is None:
        return "(none)", "as if 0"
    return entry.key, ", ".join([str(entry.shape), *filter(None, [str(entry.turn)])])
