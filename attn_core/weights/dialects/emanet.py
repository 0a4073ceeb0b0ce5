"""The authors' own code of expectation-maximisation attention, EMANet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import ExpectationMaximizationAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn
from attn_core.weights.dialects.sizes import Sizes

BASES = Layer("mu", {"value": Turn((1, 0), before=1)}, {"value": ""}, "")  # (1, channels, bases)


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> ExpectationMaximizationAttention:
    bases, channels = sizes.of(BASES, "value", "bases", "channels")
    return ExpectationMaximizationAttention(channels, bases, **options)


def _table(block: ExpectationMaximizationAttention) -> Table:
    return {"embed": "conv1", "bases": BASES, "fuse": "conv2.0", "norm": "conv2.1"}


DIALECTS = (
    Dialect(
        "emanet.EMAU",
        ExpectationMaximizationAttention,
        definition="XiaLiPKU/EMANet f09ffac, network.py",
        differs="Their class returns the image and the bases, and the training loop moves the bases; here the block "
        "does. Sizes do not tell the steps: option steps, 3 by default.",
        proven=("official/emanet_emau",),
        infer=_infer,
        table=_table,
        anchors={"mu": (3,)},
        options={"steps": 3, "momentum": 0.1, "norm_momentum": 3e-4},
    ),
)
