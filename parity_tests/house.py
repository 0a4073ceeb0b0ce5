"""Who imports whom, read from the sources: `python parity_tests/house.py` prints the floors.

A room is a folder, a floor the longest chain of imports between rooms below it. Imports inside functions count, those
for type checkers do not. An `__init__.py` that only hands names on is a face: what it imports is nobody's need.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("attn_core", "attn_torch", "attn_tf", "attn_jax")
# Each imports only those before it. A new door stands before `cli`.
DOORS = ("spec", "blocks", "models", "weights", "interpreters", "parity", "porting", "ejecting", "cli")

Arrows = Mapping[str, set[str]]


@cache
def files() -> dict[str, Path]:
    """Return the file of each module, by its dotted name."""
    found = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {_module(path): path for path in found}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> Arrows:
    """Return the modules that each module imports."""
    return {module: _imported(module) for module in files()}


def _imported(module: str) -> set[str]:
    tree = ast.parse(files()[module].read_text())
    if _is_face(files()[module], tree):
        return set()
    found = {name for node in _run(tree) for name in _names(node)}
    return found - {module}


def _is_face(path: Path, tree: ast.Module) -> bool:
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    return path.name == "__init__.py" and not defines


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that a program may run, which leaves out what stands under TYPE_CHECKING."""
    yield node
    checked = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for child in node.orelse if isinstance(node, ast.If) and checked else ast.iter_child_nodes(node):
        yield from _run(child)


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that a node imports; `from a import b` is one of b if b is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in files())
    elif isinstance(node, ast.ImportFrom) and node.module in files():
        inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        yield from (full if full in files() else node.module for full in inner.values())


def rooms() -> Arrows:
    """Return the folders that each folder's files import from."""
    found: dict[str, set[str]] = {}
    for module, imported in imports().items():
        room = _room(module)
        found.setdefault(room, set()).update({_room(each) for each in imported} - {room})
    return found


def _room(module: str) -> str:
    return files()[module].parent.relative_to(ROOT).as_posix()


def circle(arrows: Arrows) -> list[str]:
    """Return a way from somewhere back to itself, or nothing where there is none."""
    done: set[str] = set()
    for start in arrows:
        if way := _back(arrows, [start], done):
            return way
    return []


def _back(arrows: Arrows, way: list[str], done: set[str]) -> list[str]:
    if way[-1] in way[:-1]:
        return way[way.index(way[-1]) :]
    if way[-1] in done:
        return []
    for target in sorted(arrows.get(way[-1], ())):
        if found := _back(arrows, [*way, target], done):
            return found
    done.add(way[-1])
    return []


def floors(arrows: Arrows) -> dict[str, int]:
    """Return each room's floor, the ground being 1. There must be no circle."""

    @cache
    def floor(room: str) -> int:
        return 1 + max((floor(below) for below in arrows.get(room, ())), default=0)

    return {room: floor(room) for room in arrows}


def main() -> None:
    """Print the floors of the core, from the ground up."""
    core = {room: below for room, below in rooms().items() if room.startswith("attn_core")}
    for room, floor in sorted(floors(core).items(), key=lambda each: each[1]):
        print(f"{floor:2}  {room:32} on {', '.join(sorted(core[room])) or 'nothing'}")


if __name__ == "__main__":
    main()
