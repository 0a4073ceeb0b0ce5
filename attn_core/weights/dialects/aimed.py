"""ai-med's squeeze_and_excitation: the concurrent squeeze-and-excitation (scSE) authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import PointwiseGate
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.shared import RELU_SIGMOID, concurrent, squeeze_excitation
from attn_core.weights.dialects.sizes import Sizes

DEFINITION = "ai-med/squeeze_and_excitation acdd26e, squeeze_and_excitation/squeeze_and_excitation.py"
CONV = Layer("conv")


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> PointwiseGate:
    rank = sizes.rank(CONV)
    (channels,) = sizes.of(CONV, "weight", 1, "channels", *(1,) * rank)
    return PointwiseGate(channels, rank=rank, shared=True, **options)


def _table(block: PointwiseGate) -> Table:
    return {"conv": CONV}


DIALECTS = (
    squeeze_excitation(
        "aimed.ChannelSELayer",
        Layer("fc1"),
        Layer("fc2"),
        bias=True,
        fixed=RELU_SIGMOID,
        definition=DEFINITION,
        differs="Two dense layers with biases, the hidden one of half as many units.",
        proven=("official/aimed_cse",),
    ),
    Dialect(
        "aimed.SpatialSELayer",
        PointwiseGate,
        infer=_infer,
        table=_table,
        anchors={"conv.weight": (4, 5)},
        definition=DEFINITION,
        differs="One gate for all channels of a pixel. Not here: weights that are given to its forward.",
        proven=("official/aimed_sse",),
    ),
    concurrent(
        "aimed.ChannelSpatialSELayer",
        {"reduce": Layer("cSE.fc1"), "expand": Layer("cSE.fc2"), "conv": Layer("sSE.conv")},
        joined="maximum",
        definition=DEFINITION,
        differs="Dense layers with biases; the larger of the two scaled images.",
        proven=("official/aimed_scse",),
    ),
)
