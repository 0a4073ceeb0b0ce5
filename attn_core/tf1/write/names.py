"""Names of a graph as names of Python."""

from __future__ import annotations

import keyword
import re

RESERVED = frozenset({
    "apply", "bind", "buffers", "build", "call", "children", "copy", "cpu", "cuda", "double", "dtype", "eval", "float",
    "forward", "get_config", "half", "init", "input", "inputs", "layers", "losses", "metrics", "module", "modules",
    "name", "output", "outputs", "param", "parameters", "parent", "path", "scope", "self", "setup", "sow", "to",
    "train", "type", "variables", "weights", "x",
})  # fmt: skip  # what modules of some framework have already


def identifier(text: str) -> str:
    """Return a name for a member."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "layer"
    name = f"layer_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def class_name(scope: str) -> str:
    """Return the name of a class for the last part of a scope: without its number, unless that is a version's.

    Empty if that leaves nothing.
    """
    last = re.sub(r"(?<![vV])_?\d+[a-z]?$", "", scope.rpartition("/")[2])
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", re.sub(r"[^\w]", "_", last, flags=re.ASCII))
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name and not name[0].isdigit() else ""


def snake(name: str) -> str:
    """Return a class's name as that of a member."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def unique(name: str, taken: dict[str, None]) -> str:
    """Return the name, numbered if it is taken, and take it."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken[found] = None
    return found
