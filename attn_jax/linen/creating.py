"""Linen modules by what people call them."""

from __future__ import annotations

from typing import Any

from attn_core.models.registry import created
from attn_jax.linen.layer import Layer, build


def create(block: str, *arguments: Any, **options: Any) -> Layer:
    """Return the module of the block or network that people call so, as ``create("eca", 64)``.

    `arguments` and `options` are its fields; names and fields are listed by ``attn list`` and ``attn show``. It is not
    bound; `bind` returns one that is.
    **Raises** `SpecError` for a word that stands for nothing or for several blocks, and for fields that it has not.
    """
    return build(created(block, *arguments, **options))
