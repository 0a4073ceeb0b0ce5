"""The packages of the extra `parity`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def needed(name: str) -> ModuleType:
    """Import a package of the extra, or raise `ImportError` that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{error}; reports need it: pip install 'attn-blocks[parity]'.", name=name) from None
