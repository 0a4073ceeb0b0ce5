"""Ported networks: importing their source, and what a framework finds when it runs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

Pulls = Sequence[NDArray[np.float64] | None]
"""The cotangent of the result for each image; of None, the sum of the result is pulled back."""


@dataclass(frozen=True)
class Found:
    """What a ported network gives for one image, canonical: its output in float32; output and gradient in float64.

    Where a framework has no float64, both are float32.
    """

    single: NDArray[np.float64]
    output: NDArray[np.float64]
    gradient: NDArray[np.float64]


def imported(path: str) -> ModuleType:
    """Run a `model.py` that was just written as a module of its own; no bytecode is left beside it."""
    module = ModuleType(f"attn_ported_{abs(hash(path)):x}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(Path(path).read_text(), path, "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module
