"""What Flax calls the arrays of a part, and how it lays them out; the only place that says so."""

from __future__ import annotations

from typing import Any

from attn_core.spec import Array, Part
from attn_core.spec.parts import BatchNorm, Conv, Dense, GroupNorm, LayerNorm

# Where they differ from the canonical ones.
FLAX_NAMES: dict[type[Part], dict[str, str]] = {
    Dense: {"weight": "kernel"},
    Conv: {"weight": "kernel"},
    BatchNorm: {"weight": "scale", "running_mean": "mean", "running_var": "var"},
    GroupNorm: {"weight": "scale"},
    LayerNorm: {"weight": "scale"},
}
CANONICAL_NAMES = {theirs: ours for names in FLAX_NAMES.values() for ours, theirs in names.items()}

PARAMS, STATISTICS = COLLECTIONS = ("params", "batch_stats")


def flax_name(part: Part, leaf: str) -> str:
    """Return Flax's name of a part's array."""
    return FLAX_NAMES.get(type(part), {}).get(leaf, leaf)


def collection(array: Array) -> str:
    """Return the collection of Linen's variables that holds an array."""
    return PARAMS if array.trainable else STATISTICS


def turn(array: Any) -> Any:
    """Turn a weight (out, in, *kernel) into Flax's kernel (*kernel, in, out); a vector stays."""
    return array.transpose(*range(2, array.ndim), 1, 0) if array.ndim > 1 else array


def turn_back(array: Any) -> Any:
    """Undo `turn`."""
    return array.transpose(array.ndim - 1, array.ndim - 2, *range(array.ndim - 2)) if array.ndim > 1 else array
