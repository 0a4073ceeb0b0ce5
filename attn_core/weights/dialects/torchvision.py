"""torchvision: the SE block of its MobileNetV3, EfficientNet and RegNet."""

from __future__ import annotations

from attn_core.weights.dialects.layout import torch_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "torchvision.SqueezeExcitation",
        torch_point("fc1"),
        torch_point("fc2"),
        bias=True,
        options=RELU_SIGMOID,
        definition="torchvision 0.28.0, torchvision/ops/misc.py",
        differs="Both layers are convolutions of one pixel with biases; "
        'its MobileNetV3 has gate="hard_sigmoid", its EfficientNet activation="silu".',
        proven=("official/torchvision_se",),
    ),
)
