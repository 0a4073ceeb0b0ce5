"""The CBAM authors' own code, by Jongchan Park."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import BottleneckAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn
from attn_core.weights.dialects.shared import cbam, channel_attention, hidden_units, spatial_attention, torch_anchor
from attn_core.weights.dialects.sizes import Sizes

DEFINITION = "Jongchan/attention-module 459efad, MODELS/cbam.py"
SWAPPED = {"weight": Turn(flipped=(1,))}  # their planes are (maximum, mean)
PLANES = "The planes of the spatial kernel are (maximum, mean), here (mean, maximum)"

CHANNEL, SPATIAL = "channel_att.gate_c.gate_c_", "spatial_att.gate_s.gate_s_"
FIRST = Layer(f"{CHANNEL}fc_0")


def _bam(sizes: Sizes, options: Mapping[str, Any]) -> BottleneckAttention:
    hidden, channels = sizes.of(FIRST, "weight", "hidden", "channels")
    depth = 0
    while sizes.has(Layer(f"{SPATIAL}conv_di_{depth}"), "weight"):
        depth += 1
    return BottleneckAttention(channels, **hidden_units(channels, hidden), depth=depth, **options)


def _bam_table(block: BottleneckAttention) -> Table:
    dilated = {f"dilated{i}": f"{SPATIAL}conv_di_{i}" for i in range(block.depth)}
    norms = {f"dilated{i}_norm": f"{SPATIAL}bn_di_{i}" for i in range(block.depth)}
    return {
        "reduce": FIRST,
        "reduce_norm": f"{CHANNEL}bn_1",
        "expand": f"{CHANNEL}fc_final",
        "squeeze": f"{SPATIAL}conv_reduce0",
        "squeeze_norm": f"{SPATIAL}bn_reduce0",
        **dilated,
        **norms,
        "map": f"{SPATIAL}conv_final",
    }


DIALECTS = (
    cbam(
        "jongchan.CBAM",
        {
            "channel.reduce": Layer("ChannelGate.mlp.1"),
            "channel.expand": Layer("ChannelGate.mlp.3"),
            "spatial.conv": Layer("SpatialGate.spatial.conv", SWAPPED),
            "spatial.norm": Layer("SpatialGate.spatial.bn"),
        },
        bias=True,
        options={"pools": "both", "momentum": 0.01},
        definition=DEFINITION,
        differs=f"{PLANES}; a perceptron with biases; batch normalisation with momentum 0.01. Not here: lp, lse pools.",
        proven=("official/jongchan_cbam",),
    ),
    channel_attention(
        "jongchan.ChannelGate",
        Layer("mlp.1"),
        Layer("mlp.3"),
        bias=True,
        options={"pools": "both"},
        definition=DEFINITION,
        differs="A perceptron with biases. Not here: lp and lse pools.",
        proven=("official/jongchan_channel_gate_avg_max",),
    ),
    spatial_attention(
        "jongchan.SpatialGate",
        Layer("spatial.conv", SWAPPED),
        "spatial.bn",
        options={"momentum": 0.01},
        definition=DEFINITION,
        differs=f"{PLANES}; batch normalisation with momentum 0.01.",
        proven=("official/jongchan_spatial_gate",),
    ),
    Dialect(
        "jongchan.BAM",
        BottleneckAttention,
        infer=_bam,
        table=_bam_table,
        anchors=torch_anchor(FIRST),
        options={"dilation": 4},
        definition="Jongchan/attention-module 459efad, MODELS/bam.py",
        differs="The gates are multiplied, where the paper adds them. Not here: a deeper perceptron (num_layers).",
        proven=("official/jongchan_bam",),
    ),
)
