"""The PyTorch classes of the articles that this collection began with: docs/articles.md has their titles.

The TensorFlow article's `se_block` is in `tf1.py`, the HybridSN article's networks are in `seed_networks.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.weights.dialects import seed_networks
from attn_core.weights.dialects.layout import Layer, torch_point
from attn_core.weights.dialects.sa_net import sa_layer
from attn_core.weights.dialects.shared import cbam, channel_attention, spatial_attention, squeeze_excitation

RELU_SIGMOID: Mapping[str, Any] = {"activation": "relu", "gate": "sigmoid"}
SHUFFLES = ("c64_g8", "c64_g8_fresh", "c32_g4_even", "c24_g2", "c512_g64", "c64_g32_1x1")
GATE = "Their class returns the gate, which its caller multiplies with the image; here the block does"

DIALECTS = (
    squeeze_excitation(
        "seeds.SELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=False,
        fixed=RELU_SIGMOID,
        definition="the CBAM article, SELayer",
        differs="Two dense layers without biases, as moskomule.SELayer.",
        proven=("torch/001_se_c40_r16", "torch/001_se_c64_r16"),
    ),
    squeeze_excitation(
        "seeds.Attention_Block",
        Layer("fc1"),
        Layer("fc2"),
        bias=True,
        fixed=RELU_SIGMOID,
        definition="the HybridSN article, Attention_Block",
        differs="Two dense layers with biases; round(channels / 16) hidden units.",
        proven=tuple(f"torch/003_attention_block_{size}" for size in ("p24_s6", "p40_s5", "p56_s4", "p64_s7")),
    ),
    channel_attention(
        "seeds.ChannelAttention",
        torch_point("fc1"),
        torch_point("fc2"),
        bias=False,
        definition="the CBAM article, ChannelAttention",
        differs=f"{GATE}. No biases.",
        proven=tuple(f"torch/001_channel_attention_{case}" for case in ("c32_r16", "c24_r5", "ties")),
    ),
    spatial_attention(
        "seeds.SpatialAttention",
        Layer("conv1"),
        definition="the TensorFlow and CBAM articles, SpatialAttention",
        differs=f"{GATE}. The planes are (mean, maximum), as here.",
        proven=tuple(f"torch/001_spatial_attention_{size}" for size in ("k7", "k7_tiny", "k3", "ties")),
    ),
    cbam(
        "seeds.CBAM",
        {
            "channel.reduce": torch_point("ca.fc1"),
            "channel.expand": torch_point("ca.fc2"),
            "spatial.conv": Layer("sa.conv1"),
        },
        bias=False,
        definition="the CBAM article, CBAM",
        differs="Neither biases nor batch normalisation; the planes are (mean, maximum), as here.",
        proven=("torch/001_cbam_c32_k7", "torch/001_cbam_c24_r8_k3", "torch/001_cbam_ties", "torch/001_cbam_1x1"),
        hides=("timm.SEModule",),
    ),
    sa_layer(
        "seeds.sa_layer",
        "the SA-Net article, sa_layer",
        tuple(f"torch/004_sa_{size}" for size in SHUFFLES),
    ),
    *seed_networks.DIALECTS,
)
