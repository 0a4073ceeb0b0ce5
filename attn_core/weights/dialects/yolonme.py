"""YOLOonMe's EMA-attention-module: the efficient multi-scale attention authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import EfficientMultiScaleAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

POINT, CONV = Layer("conv1x1"), Layer("conv3x3")


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> EfficientMultiScaleAttention:
    (width,) = sizes.of(POINT, "weight", "width", "width", 1, 1)
    groups = options["groups"]
    return EfficientMultiScaleAttention(groups * width, groups)


def _table(block: EfficientMultiScaleAttention) -> Table:
    return {"point": POINT, "conv": CONV, "norm": "gn"}


DIALECTS = (
    Dialect(
        "yolonme.EMA",
        EfficientMultiScaleAttention,
        infer=_infer,
        table=_table,
        anchors={"conv1x1.weight": (4,)},
        options={"groups": 32},
        definition="YOLOonMe/EMA-attention-module afc37ec, EMA_attention_module",
        differs="Its arrays are those of one group: how many there are, its factor, is nowhere in them.",
        proven=("official/ema_official", "official/ema_official_g4"),
    ),
)
