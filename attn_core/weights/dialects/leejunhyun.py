"""LeeJunHyun's Image_Segmentation: the Attention U-Net that most networks in PyTorch have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import AttentionGate
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

LAYERS = {"features": "W_x", "signal": "W_g", "map": "psi"}


def attention_gate(name: str, inner: str, **more: Any) -> Dialect:
    """Return the dialect of a class whose convolutions stand in the places `W_x.0`, ..., or in these, as `inner`."""

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> AttentionGate:
        features, signal = Layer(f"W_x.0{inner}"), Layer(f"W_g.0{inner}")
        point = (1,) * sizes.rank(features)
        hidden, channels = sizes.of(features, "weight", "hidden", "channels", *point)
        _, gating = sizes.of(signal, "weight", "hidden", "gating", *point)
        return AttentionGate(channels, gating, hidden, rank=len(point), **options)

    def table(block: AttentionGate) -> Table:
        norms = {f"{part}_norm": f"{theirs}.1" for part, theirs in LAYERS.items()}
        return {part: f"{theirs}.0{inner}" for part, theirs in LAYERS.items()} | norms

    anchors = {f"W_x.0{inner}.weight": (3, 4, 5)}
    return Dialect(name, AttentionGate, infer=infer, table=table, anchors=anchors, **more)


DIALECTS = (
    attention_gate(
        "leejunhyun.Attention_block",
        "",
        definition="LeeJunHyun/Image_Segmentation 5e9da93, network.py",
        differs="It is called with the gating signal first.",
        proven=("official/leejunhyun_gate",),
    ),
)
