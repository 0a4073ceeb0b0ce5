"""Packages whose names are imported when they are asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def deferred(
    package: str, homes: Mapping[str, Sequence[str]], modules: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`: names by the modules that have them, and modules by name.

    A module may be called by a shorter name than its place has: `attn_core.dialects` is `attn_core.weights.dialects`.
    """
    known = modules or {}
    home = {name: module for module, names in homes.items() for name in names}
    own = vars(sys.modules[package])

    def get(name: str) -> Any:
        if name in known:
            return import_module(known[name])
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        own[name] = getattr(import_module(home[name]), name)
        return own[name]

    def names() -> list[str]:
        return sorted({*own, *home, *known})

    return get, names
