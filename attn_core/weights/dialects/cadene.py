"""Cadene's pretrained models for PyTorch: SE-ResNet, SE-ResNeXt, SENet-154."""

from __future__ import annotations

from attn_core.weights.dialects.layout import torch_point
from attn_core.weights.dialects.shared import squeeze_excitation

DIALECTS = (
    squeeze_excitation(
        "cadene.SEModule",
        torch_point("fc1"),
        torch_point("fc2"),
        bias=True,
        definition="Cadene/pretrained-models.pytorch 8aae3d8, pretrainedmodels/models/senet.py",
        differs="Both layers are convolutions of one pixel with biases; channels // reduction hidden units.",
        proven=("official/cadene_se",),
        speaks=lambda block: _floored(block.channels, block.width),
    ),
)


def _floored(channels: int, hidden: int) -> tuple[str, ...]:
    fits = channels // 16 == hidden
    return (f"{hidden} hidden units are the {channels} // 16 of all its networks",) if fits else ()
