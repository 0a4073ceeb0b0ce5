"""PyTorch layers by what people call them."""

from __future__ import annotations

from typing import Any

import torch

from attn_core.models.registry import created
from attn_torch.binding import bind
from attn_torch.layer import Layer


def create(
    block: str,
    *arguments: Any,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    **options: Any,
) -> Layer:
    """Return a fresh layer of the block or network that people call so, as ``create("eca", 64)``.

    `arguments` and `options` are its fields; names and fields are listed by ``attn list`` and ``attn show``.
    **Raises** `SpecError` for a word that stands for nothing or for several blocks, and for fields that it has not.
    """
    return bind(created(block, *arguments, **options), device=device, dtype=dtype)
