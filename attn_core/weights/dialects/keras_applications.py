"""Keras applications: the SE blocks of EfficientNet and MobileNetV3, whose layers have a block's name before theirs."""

from __future__ import annotations

from attn_core.weights.dialects.layout import tf_point
from attn_core.weights.dialects.shared import squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "keras_applications.efficientnet",
        tf_point("se_reduce"),
        tf_point("se_expand"),
        bias=True,
        fixed={"activation": "silu", "gate": "sigmoid"},
        definition="Keras 3.15.1, keras/src/applications/efficientnet.py and efficientnet_v2.py",
        differs="Convolutions of one pixel, kernels (1, 1, inputs, outputs); swish inside. A prefix is as block1a_.",
        proven=("Keras itself, run by the tests",),
        boundary="_/",
        scoped=False,
    ),
    squeeze_excitation(
        "keras_applications.mobilenet_v3",
        tf_point("squeeze_excite_conv"),
        tf_point("squeeze_excite_conv_1"),
        bias=True,
        fixed={"activation": "relu", "gate": "hard_sigmoid"},
        definition="Keras 3.15.1, keras/src/applications/mobilenet_v3.py, _se_block",
        differs="Convolutions of one pixel, kernels (1, 1, inputs, outputs); the gate is relu6(x + 3) / 6. A prefix is "
        "as expanded_conv_3_.",
        proven=("official/keras_mobilenetv3_se", "Keras itself, run by the tests"),
        boundary="_/",
        scoped=False,
    ),
)
