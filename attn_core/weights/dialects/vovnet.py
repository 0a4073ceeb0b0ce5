"""youngwanLEE's VoVNet for detectron2: the effective squeeze-and-excitation authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import EffectiveSqueezeExcitation
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Table, torch_point
from attn_core.weights.dialects.sizes import Sizes

DENSE = torch_point("fc")


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> EffectiveSqueezeExcitation:
    (channels,) = sizes.of(DENSE, "weight", "channels", "channels")
    return EffectiveSqueezeExcitation(channels, **options)


def _table(block: EffectiveSqueezeExcitation) -> Table:
    return {"dense": DENSE}


def effective_squeeze_excitation(name: str, **more: Any) -> Dialect:
    """Return the dialect of a class whose one layer is `fc`, a convolution of one pixel with a bias."""
    anchors = {"fc.weight": (4,)}
    return Dialect(name, EffectiveSqueezeExcitation, infer=_infer, table=_table, anchors=anchors, **more)


DIALECTS = (
    effective_squeeze_excitation(
        "vovnet.eSEModule",
        definition="youngwanLEE/vovnet-detectron2 b81c813, vovnet/vovnet.py",
        differs="The layer is a convolution of one pixel with a bias; the gate is relu6(x + 3) / 6.",
        proven=("official/vovnet_ese",),
    ),
)
