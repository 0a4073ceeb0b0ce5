"""Pieces of source that the native classes of all frameworks have in common."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold.described import Described, Field
from scaffold.options import TYPING


def header(block: Described, imports: Iterable[str], standard: Iterable[str] = ()) -> dict[str, str]:
    """Return what every file begins with, by the names that templates have for it.

    `imports` are those of our own packages, `standard` those of the standard library beside what constructors need.
    """
    typed = [TYPING] if block.constructors else []
    needed = merged([*standard, *typed])
    own = [f"from attn_core import {block.folder} as core", *imports, *block.imports(_sources(block))]
    return {
        "name": block.name,
        "place": block.place,
        "answer": block.answer,
        "inputs": listed(block.inputs),
        "typing": "\n".join(merged(["from typing import Any", *typed])),
        "standard": "\n".join(["", *needed, ""] if needed else [""]),
        "imports": "\n".join(merged(own)),
    }


def signature(fields: Iterable[Field], options: Iterable[str]) -> str:
    """Return the arguments of an `__init__`, one a line: fields, then options, which must be given by name."""
    given = [str(field) for field in fields if not field.keyword]
    named = [str(field) for field in fields if field.keyword]
    return "".join(f"{argument},\n" for argument in ["self", *given, "*", *named, *options])


def listed(values: Iterable[str]) -> str:
    """Return the arguments of a call."""
    return ", ".join(values)


def from_image(block: Described) -> dict[str, str]:
    """Return the fields that a framework reads from the image, and how they are then given to the block."""
    first = next((field.name for field in block.fields if not field.keyword), "")
    return {name: name if name == first else f"{name}={name}" for name in ("channels", "rank") if block.has(name)}


def _sources(block: Described) -> list[str]:
    return [*(field.type for field in block.fields), *block.constructors]


def merged(lines: Iterable[str]) -> list[str]:
    """Put what comes from one module on one line, and sort lines by modules."""
    names: dict[str, set[str]] = {}
    for line in lines:
        module, _, name = line.removeprefix("from ").partition(" import ")
        names.setdefault(module, set()).add(name)
    return [
        f"from {module} import {', '.join(sorted(names[module], key=lambda name: (not name.isupper(), name)))}"
        for module in sorted(names)
    ]
