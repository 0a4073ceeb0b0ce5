"""The CBAM authors' own code, by Jongchan Park."""

from __future__ import annotations

from attn_core.weights.dialects.layout import Layer, Turn
from attn_core.weights.dialects.shared import cbam, channel_attention, spatial_attention

DEFINITION = "Jongchan/attention-module 459efad, MODELS/cbam.py"
SWAPPED = {"weight": Turn(flipped=(1,))}  # their planes are (maximum, mean)
PLANES = "The planes of the spatial kernel are (maximum, mean), here (mean, maximum)"

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
)
