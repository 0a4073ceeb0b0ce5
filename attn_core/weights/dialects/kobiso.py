"""kobiso's CBAM for TensorFlow 1, and its SE block: named layers, dense on (batch, 1, 1, channels)."""

from __future__ import annotations

from attn_core.weights.dialects.layout import tf_conv, tf_dense
from attn_core.weights.dialects.shared import cbam, squeeze_excitation

DEFINITION = "kobiso/CBAM-tensorflow 13c94fe, attention_module.py"
CBAM_LAYERS = {
    "channel.reduce": tf_dense("ch_at/mlp_0"),
    "channel.expand": tf_dense("ch_at/mlp_1"),
    "spatial.conv": tf_conv("sp_at/conv"),
}

DIALECTS = (
    squeeze_excitation(
        "kobiso.se_block",
        tf_dense("bottleneck_fc"),
        tf_dense("recover_fc"),
        fixed={"activation": "relu", "gate": "sigmoid"},
        definition=DEFINITION,
        differs="Dense layers with names of their own, in a variable scope; kernels are (inputs, outputs).",
        boundary="/",
        scoped=False,
    ),
    cbam(
        "kobiso.cbam_block",
        CBAM_LAYERS,
        bias=True,
        spatial_bias=None,
        definition=DEFINITION,
        differs="A perceptron with biases, planes (mean, maximum), no batch normalisation; the convolution has a bias "
        "unless use_bias=False was given.",
        boundary="/",
        scoped=False,
    ),
)
