"""qubvel's segmentation_models_pytorch."""

from __future__ import annotations

from attn_core.weights.dialects.layout import Layer, torch_point
from attn_core.weights.dialects.shared import concurrent

DIALECTS = (
    concurrent(
        "smp.SCSEModule",
        {"reduce": torch_point("cSE.1"), "expand": torch_point("cSE.3"), "conv": Layer("sSE.0")},
        joined="sum",
        definition="segmentation-models-pytorch 0.6.0, segmentation_models_pytorch/base/modules.py",
        differs="Dense layers are convolutions of one pixel; the sum of the two scaled images.",
        proven=("official/smp_scse",),
    ),
)
