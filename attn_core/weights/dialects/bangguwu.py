"""BangguWu's ECA-Net for PyTorch: the efficient channel attention authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import EfficientChannelAttention
from attn_core.blocks.efficient_channel_attention import Border
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

UNTOLD = "The array does not tell the channels, which change nothing that is computed: option channels, 64 by default"


def efficient_channel_attention(
    name: str, border: Border = "zeros", deep: bool = False, bias: bool = False, **more: Any
) -> Dialect:
    """Return the dialect of a class whose array is `conv.weight`, with or without a bias.

    A `deep` one may have a layer before, as timm's: then that is `conv`, and what is our `conv` is `conv2`.
    """

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> EfficientChannelAttention:
        if deep and sizes.has(Layer("conv2"), "weight"):
            hidden, kernel = sizes.of(Layer("conv2"), "weight", 1, "hidden", "kernel")
            return EfficientChannelAttention(kernel=kernel, hidden=hidden, bias=True, border=border, **options)
        (kernel,) = sizes.of(Layer("conv"), "weight", 1, 1, "kernel")
        return EfficientChannelAttention(kernel=kernel, border=border, bias=bias, **options)

    def table(block: EfficientChannelAttention) -> Table:
        return {"conv": "conv"} if block.hidden is None or not deep else {"spread": "conv", "conv": "conv2"}

    return Dialect(
        name,
        EfficientChannelAttention,
        infer=infer,
        table=table,
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
