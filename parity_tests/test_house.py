"""The order of the doors of the core, and that nothing runs in a circle."""

from __future__ import annotations

from density import CORE
from house import DOORS, ROOT, circle, floors, imports, rooms

MOST_FLOORS = 10


def test_each_door_stands_on_those_before_it():
    """A module of a door imports its own and earlier ones; `attn_core` itself is there for every door."""
    for module, imported in imports().items():
        package, _, own = module.partition(".")
        door = own.partition(".")[0]
        if package == "attn_core" and door in DOORS:
            allowed = {"deferred", *DOORS[: DOORS.index(door) + 1]}
            wrong = sorted(name for name in imported if not _stands_in(name, allowed))
            assert not wrong, f"{module} imports {wrong}; {door} may import from {sorted(allowed)} only"


def _stands_in(module: str, doors: set[str]) -> bool:
    package, _, own = module.partition(".")
    return package == "attn_core" and (not own or own.partition(".")[0] in doors)


def test_root_of_the_core_holds_doors_only():
    modules = {path.name for path in CORE.glob("*.py")}
    folders = {path.name for path in CORE.iterdir() if (path / "__init__.py").exists()}
    assert modules == {"__init__.py", "deferred.py"}
    assert folders == set(DOORS)


def test_no_circle_between_files():
    assert circle(imports()) == []


def test_no_circle_between_folders():
    assert circle(rooms()) == []


def test_floors():
    """Counted and printed by `python parity_tests/house.py`."""
    core = {room: below for room, below in rooms().items() if room.startswith("attn_core")}
    highest = max(floors(core).values())
    print(f"{highest} floors")
    assert highest <= MOST_FLOORS


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_every_package_is_looked_at():
    assert {module.partition(".")[0] for module in imports()} == {"attn_core", "attn_torch", "attn_tf", "attn_jax"}
    assert (ROOT / "pyproject.toml").exists()
