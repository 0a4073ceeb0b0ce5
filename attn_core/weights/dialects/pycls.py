"""facebookresearch's pycls: RegNet, EfficientNet."""

from __future__ import annotations

from attn_core.weights.dialects.layout import torch_point
from attn_core.weights.dialects.shared import squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "pycls.SE",
        torch_point("f_ex.0"),
        torch_point("f_ex.2"),
        bias=True,
        options={"activation": "relu"},
        definition="facebookresearch/pycls 5719de6, pycls/models/blocks.py",
        differs='Both layers are convolutions of one pixel with biases; in EfficientNets activation="silu".',
        proven=("official/pycls_se",),
    ),
)
