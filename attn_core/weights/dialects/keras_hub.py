"""KerasHub: the SE blocks of its MobileNet and of its EfficientNet."""

from __future__ import annotations

from attn_core.weights.dialects.layout import tf_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "keras_hub.SqueezeAndExcite2D",
        tf_point("conv_reduce"),
        tf_point("conv_expand"),
        bias=True,
        options=RELU_SIGMOID,
        definition="KerasHub 0.32.0, keras_hub/src/models/mobilenet/mobilenet_backbone.py",
        differs='Convolutions of one pixel, kernels (1, 1, inputs, outputs); its MobileNet has gate="hard_sigmoid". '
        "Not here: the gate applied twice, as an early version did (7cbfebc, squeeze_and_excite_2d.py).",
        proven=("official/keras_hub_se",),
        boundary="/_",
        scoped=False,
    ),
    squeeze_excitation(
        "keras_hub.MBConvBlock",
        tf_point("se_conv1"),
        tf_point("se_conv2"),
        bias=True,
        fixed={"gate": "sigmoid"},
        options={"activation": "silu"},
        definition="KerasHub 0.32.0, keras_hub/src/models/efficientnet/mbconv.py",
        differs="The two layers of the SE block in a larger block; kernels (1, 1, inputs, outputs); swish inside.",
        boundary="/",
        scoped=False,
    ),
)
