"""Packages whose names are imported when they are asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def deferred(
    package: str, homes: Mapping[str, Sequence[str] | None], modules: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`: names by the modules that have them, and modules by name.

    A home without names lists them itself, in its `__all__`; it is asked when a name is wanted that no other has.
    A module may be called by a shorter name than its place has: `attn_core.dialects` is `attn_core.weights.dialects`.
    """
    known = modules or {}
    stated = {name: module for module, names in homes.items() for name in names or ()}
    listing = [module for module, names in homes.items() if names is None]
    own = vars(sys.modules[package])

    def listed() -> dict[str, str]:
        return {name: module for module in listing for name in import_module(module).__all__}

    def get(name: str) -> Any:
        if name in known:
            return import_module(known[name])
        if name == "__all__":
            return sorted({**stated, **listed()})
        home = stated.get(name) or (None if _never_listed(package, name) else listed().get(name))
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        own[name] = getattr(import_module(home), name)
        return own[name]

    def names() -> list[str]:
        return sorted({*own, *stated, *listed(), *known})

    return get, names


def _never_listed(package: str, name: str) -> bool:
    """Say whether no home lists a name: one that Python itself asks for, or a module, which it imports after that."""
    return name.startswith("_") or find_spec(f"{package}.{name}") is not None


def handed_on(package: str) -> dict[str, Any]:
    """Return what a package has imported from its own modules, by name: what it hands on."""
    found = vars(sys.modules[package]).items()
    return {name: value for name, value in found if name[0] != "_" and _home(value).startswith(f"{package}.")}


def _home(value: object) -> str:
    return str(getattr(value, "__module__", ""))
