"""Where a module keeps its gates while a network is recorded: a variable, which Flax carries out of compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import nnx
from jax import Array

KEPT = "kept_gates"  # the attribute, which only recorded modules have


class Kept(nnx.Intermediate[tuple[dict[str, Array], ...]]):
    """The gates of each call, in their order."""


def keeping(module: nnx.Module) -> Callable[[dict[str, Array]], None] | None:
    """Return what keeps the gates of a call, or None for a module that is not recorded."""
    kept: Any = vars(module).get(KEPT)
    return None if kept is None else lambda gates: kept.set_value((*kept.get_value(), gates))
