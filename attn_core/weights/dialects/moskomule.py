"""moskomule's SENet for PyTorch: the class that most copies of SELayer are of."""

from __future__ import annotations

from attn_core.weights.dialects.layout import Layer
from attn_core.weights.dialects.shared import squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "moskomule.SELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=False,
        fixed={"activation": "relu", "gate": "sigmoid"},
        definition="moskomule/senet.pytorch 8cb2669, senet/se_module.py",
        differs="Two dense layers without biases.",
        proven=("official/moskomule_se",),
    ),
)
