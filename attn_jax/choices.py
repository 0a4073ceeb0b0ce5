"""What Flax users choose for the dense layers and convolutions of a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax

from attn_core.spec import Block, Part
from attn_core.spec.layers import has, require_effect
from attn_core.spec.parts import Conv, Dense

NAMES = ("kernel_init", "bias_init", "precision", "promote_dtype")


def of(part: Part | Block, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a part takes of what was chosen, as arguments of its module; None leaves it to the block and Flax."""
    given = {name: value for name, value in chosen.items() if value is not None}
    if not isinstance(part, (Block, Dense, Conv)):
        return {}
    return {name: value for name, value in given.items() if not name.endswith("_init") or has(part, name[:-5])}


def require_effects(block: Block, chosen: Mapping[str, Any]) -> None:
    """Raise `SpecError` for an initializer that nothing would call."""
    for name, value in chosen.items():
        if value is not None and name.endswith("_init"):
            require_effect(block, name)


@contextmanager
def multiplied(precision: Any) -> Iterator[None]:
    """Multiply matrices in this precision inside, also those that no layer multiplies."""
    name = precision.name.lower() if isinstance(precision, jax.lax.Precision) else precision
    if not isinstance(name, str):  # None, or one for each side, which is for layers alone
        yield
        return
    with jax.default_matmul_precision(name):
        yield
