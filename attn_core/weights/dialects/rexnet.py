"""clovaai's ReXNet: squeeze-and-excitation with a batch norm between its layers."""

from __future__ import annotations

from attn_core.weights.dialects.layout import torch_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "rexnet.SE",
        torch_point("fc.0"),
        torch_point("fc.3"),
        norm="fc.1",
        bias=True,
        fixed=RELU_SIGMOID | {"norm": True},
        options={"momentum": 0.1},
        definition="clovaai/rexnet 61debcc, rexnetv1.py",
        differs="Both layers are convolutions of one pixel with biases, and the hidden units, a twelfth of the "
        "channels, are normalised over the batch.",
        proven=("official/rexnet_se",),
    ),
)
