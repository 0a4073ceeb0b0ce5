"""ozan-oktay's Attention-Gated-Networks: grid attention, the Attention U-Net authors' own gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import AttentionGate
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

THETA, PHI = Layer("theta"), Layer("phi")


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> AttentionGate:
    rank = sizes.rank(THETA)
    hidden, channels, grid = sizes.of(THETA, "weight", "hidden", "channels", *("step",) * rank)
    _, gating = sizes.of(PHI, "weight", "hidden", "gating", *(1,) * rank)
    return AttentionGate(channels, gating, hidden, rank=rank, grid=grid, **options)


def _table(block: AttentionGate) -> Table:
    return {"features": THETA, "signal": PHI, "map": "psi", "project": "W.0", "project_norm": "W.1"}


DIALECTS = (
    Dialect(
        "oktay.GridAttentionBlock",
        AttentionGate,
        infer=_infer,
        table=_table,
        anchors={"theta.weight": (4, 5)},
        options={"align_corners": False, "momentum": 0.1},
        definition="ozan-oktay/Attention-Gated-Networks eee4881, models/layers/grid_attention_layer.py",
        differs="GridAttentionBlock2D and 3D. It also returns the gate. Corners are aligned in the PyTorch for which "
        "it was written (0.3). Not here: modes other than concatenation (a softmax over the pixels, softplus), a "
        "sub_sample_factor that differs from axis to axis, GridAttentionBlock2D_TORR.",
        proven=("official/oktay_grid_2d",),
    ),
)
