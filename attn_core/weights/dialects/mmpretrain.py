"""open-mmlab's mmpretrain (MMClassification)."""

from __future__ import annotations

from attn_core.weights.dialects.layout import torch_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "mmpretrain.SELayer",
        torch_point("conv1.conv"),
        torch_point("conv2.conv"),
        bias=True,
        options=RELU_SIGMOID,
        definition="open-mmlab/mmpretrain ee7f2e8, mmpretrain/models/utils/se_layer.py",
        differs="Both layers are convolutions of one pixel with biases; the hidden units are a multiple of 8.",
        proven=("official/mmpretrain_se",),
    ),
)
