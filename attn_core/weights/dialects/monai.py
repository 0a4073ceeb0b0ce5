"""Project MONAI: networks for medical images, of one to three spatial axes."""

from __future__ import annotations

from attn_core.weights.dialects.layout import Layer
from attn_core.weights.dialects.leejunhyun import attention_gate
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

ACTIVATIONS = "Not here: activations other than relu, leakyrelu, gelu, swish and, of the gate, sigmoid and relu."

DIALECTS = (
    squeeze_excitation(
        "monai.ChannelSELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=True,
        options=RELU_SIGMOID | {"residual": False},
        definition="monai 1.6.1, monai/networks/blocks/squeeze_and_excitation.py",
        differs="Dense layers with biases; half as many hidden units by default. With add_residual, residual=True. "
        f"{ACTIVATIONS}",
        proven=("official/monai_channel_se_1d_r4", "official/monai_channel_se_3d"),
    ),
    squeeze_excitation(
        "monai.ResidualSELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=True,
        fixed={"residual": True},
        options={"activation": "leaky_relu", "gate": "relu"},
        definition="monai 1.6.1, monai/networks/blocks/squeeze_and_excitation.py",
        differs="The arrays of ChannelSELayer; the image is added to the scaled one, and the gate is a relu. "
        f"{ACTIVATIONS}",
        proven=("official/monai_residual_se_2d",),
    ),
    attention_gate(
        "monai.AttentionBlock",
        ".conv",
        definition="monai 1.6.1, monai/networks/nets/attentionunet.py",
        differs="It is called with the gating signal first.",
        proven=("official/monai_attention_block_2d", "official/monai_attention_block_3d"),
    ),
)
