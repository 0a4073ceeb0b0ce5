"""NNX modules by what people call them."""

from __future__ import annotations

from typing import Any

from flax import nnx

from attn_core.models.registry import created
from attn_jax.nnx.binding import bind
from attn_jax.nnx.layer import Layer


def create(block: str, *arguments: Any, rngs: nnx.Rngs | None = None, **options: Any) -> Layer:
    """Return a fresh module of the block or network that people call so, as ``create("eca", 64)``.

    `arguments` and `options` are its fields; names and fields are listed by ``attn list`` and ``attn show``.
    **Raises** `SpecError` for a word that stands for nothing or for several blocks, and for fields that it has not.
    """
    return bind(created(block, *arguments, **options), rngs=rngs)
