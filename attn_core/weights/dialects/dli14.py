"""d-li14's MobileNetV3 for PyTorch."""

from __future__ import annotations

from attn_core.blocks import SqueezeExcitation
from attn_core.weights.dialects.layout import Layer
from attn_core.weights.dialects.shared import squeeze_excitation


def _rounded(units: int) -> int:
    """Return the multiple of 8 that the class takes: the nearest one, but not a tenth less."""
    nearest = max(8, (units + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * units else nearest + 8


def _wide(block: SqueezeExcitation) -> tuple[str, ...]:
    own = _rounded(block.channels // 4)
    return () if block.width == own else (f"of {block.channels} channels this class makes {own} hidden units",)


DIALECTS = (
    squeeze_excitation(
        "dli14.SELayer",
        Layer("fc.0"),
        Layer("fc.2"),
        bias=True,
        fixed={"activation": "relu", "gate": "hard_sigmoid"},
        definition="d-li14/mobilenetv3.pytorch 3e6938c, mobilenetv3.py",
        differs="Dense layers with biases; a quarter of the units, rounded to a multiple of 8; the gate is hard.",
        proven=("official/mobilenetv3_se",),
        doubts=_wide,
    ),
)
