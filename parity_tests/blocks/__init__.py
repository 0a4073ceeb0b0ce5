"""One file for each block, with the name of the block's own file: its cases, recordings and a naive statement."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from cases import Case, Recording

MODULES: list[ModuleType] = [importlib.import_module(f"blocks.{m.name}") for m in pkgutil.iter_modules(__path__)]

CASES: dict[str, Case] = {name: case for module in MODULES for name, case in module.CASES.items()}
RECORDINGS: dict[str, Recording] = {
    recording.folder: recording for module in MODULES for recording in module.RECORDINGS
}
EXAMPLES: dict[str, Case] = {module.BLOCK.__name__: next(iter(module.CASES.values())) for module in MODULES}
OTHERS: set[str] = {folder for module in MODULES for folder in getattr(module, "OTHERS", ())}  # with tests of their own
NAIVE = {module.BLOCK: module.naive for module in MODULES}

assert len(CASES) == sum(len(module.CASES) for module in MODULES), "two cases of one name"
