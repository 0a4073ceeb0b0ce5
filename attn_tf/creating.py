"""Keras layers by what people call them."""

from __future__ import annotations

from typing import Any

from attn_core.models.registry import created
from attn_tf.binding import bind
from attn_tf.layer import Layer


def create(block: str, *arguments: Any, data_format: str | None = None, dtype: Any = None, **options: Any) -> Layer:
    """Return a fresh layer of the block or network that people call so, as ``create("eca", 64)``.

    `arguments` and `options` are its fields; names and fields are listed by ``attn list`` and ``attn show``. It is
    built: the number of channels is one of them, as in `attn_core`.
    **Raises** `SpecError` for a word that stands for nothing or for several blocks, and for fields that it has not.
    """
    return bind(created(block, *arguments, **options), data_format=data_format, dtype=dtype)
