"""BangguWu's ECA-Net for PyTorch: the efficient channel attention authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import EfficientChannelAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

UNTOLD = "The array does not tell the channels, which change nothing that is computed: option channels, 64 by default"


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> EfficientChannelAttention:
    (kernel,) = sizes.of(Layer("conv"), "weight", 1, 1, "kernel")
    return EfficientChannelAttention(kernel=kernel, **options)


def _table(block: EfficientChannelAttention) -> Table:
    return {"conv": "conv"}


def efficient_channel_attention(name: str, **more: Any) -> Dialect:
    """Return the dialect of a class whose one array is `conv.weight`."""
    return Dialect(
        name,
        EfficientChannelAttention,
        infer=_infer,
        table=_table,
        anchors={"conv.weight": (3,)},
        options={"channels": 64},
        **more,
    )


DIALECTS = (
    efficient_channel_attention(
        "bangguwu.eca_layer",
        definition="BangguWu/ECANet b332f6b, models/eca_module.py",
        differs=f"The kernel is 3 unless k_size says otherwise, whatever the channels. {UNTOLD}.",
        proven=("official/eca_official",),
    ),
)
