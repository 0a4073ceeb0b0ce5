"""Project MONAI: networks for medical images, of one to three spatial axes."""

from __future__ import annotations

from attn_core.weights.dialects.layout import Layer
from attn_core.weights.dialects.leejunhyun import attention_gate
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "monai.ChannelSELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=True,
        fixed=RELU_SIGMOID,
        definition="monai 1.6.1, monai/networks/blocks/squeeze_and_excitation.py",
        differs="Dense layers with biases; half as many hidden units by default. Not here: other activations, "
        "add_residual, and ResidualSELayer, whose gate is a relu by default.",
        proven=("official/monai_channel_se_1d_r4", "official/monai_channel_se_3d"),
    ),
    attention_gate(
        "monai.AttentionBlock",
        ".conv",
        definition="monai 1.6.1, monai/networks/nets/attentionunet.py",
        differs="It is called with the gating signal first.",
        proven=("official/monai_attention_block_2d", "official/monai_attention_block_3d"),
    ),
)
