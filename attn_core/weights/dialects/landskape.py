"""landskape-ai's triplet-attention: the authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import TripletAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn
from attn_core.weights.dialects.sizes import Sizes

BRANCHES = {"axis0": "cw", "axis1": "hc", "pixels": "hw"}


def _conv(branch: str) -> Layer:
    return Layer(f"{branch}.conv.conv", {"weight": Turn(flipped=(1,))})  # their planes are (maximum, mean)


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> TripletAttention:
    (kernel,) = sizes.of(_conv("cw"), "weight", 1, 2, "kernel", "kernel")
    return TripletAttention(options["channels"], kernel, spatial=sizes.has(_conv("hw"), "weight"))


def _table(block: TripletAttention) -> Table:
    norms = {f"{part}_norm": f"{branch}.conv.bn" for part, branch in BRANCHES.items()}
    return {part: _conv(branch) for part, branch in BRANCHES.items()} | norms


def triplet_attention(name: str, **more: Any) -> Dialect:
    """Return the dialect of a class with the authors' names."""
    return Dialect(
        name,
        TripletAttention,
        infer=_infer,
        table=_table,
        anchors={"cw.conv.conv.weight": (4,)},
        options={"channels": 64},
        differs="The planes of the kernels are (maximum, mean), here (mean, maximum). No array tells the channels.",
        **more,
    )


DIALECTS = (
    triplet_attention(
        "landskape.TripletAttention",
        definition="landskape-ai/triplet-attention 2cf02fb, triplet_attention.py",
        proven=("official/triplet_official",),
    ),
)
