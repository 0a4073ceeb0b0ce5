"""One file for each block, with the name of the block's own file: its cases, recordings and a naive statement."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from cases import Case, Recording

from attn_core.spec import Block

MODULES: list[ModuleType] = [importlib.import_module(f"blocks.{m.name}") for m in pkgutil.iter_modules(__path__)]

CASES: dict[str, Case] = {name: case for module in MODULES for name, case in module.CASES.items()}
RECORDINGS: dict[str, Recording] = {
    recording.folder: recording for module in MODULES for recording in module.RECORDINGS
}
EXAMPLES: dict[str, Case] = {module.BLOCK.__name__: next(iter(module.CASES.values())) for module in MODULES}
OTHERS: set[str] = {folder for module in MODULES for folder in getattr(module, "OTHERS", ())}  # with tests of their own
NAIVE = {module.BLOCK: module.naive for module in MODULES}


def _all(name: str) -> dict[str, Any]:
    """Return what stands in the dicts of this name, of all files that have one."""
    return {key: value for module in MODULES for key, value in getattr(module, name, {}).items()}


EXPRESSIBLE: dict[str, list[tuple[Block, dict[str, Any]]]] = _all("EXPRESSIBLE")
REFUSED: dict[str, str] = _all("REFUSED")
RESOLVED: dict[str, dict[str, Any]] = _all("RESOLVED")

assert len(CASES) == sum(len(module.CASES) for module in MODULES), "two cases of one name"
