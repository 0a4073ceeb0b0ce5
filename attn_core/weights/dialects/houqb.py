"""houqb's CoordAttention: the coordinate attention authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import CoordinateAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, torch_point
from attn_core.weights.dialects.sizes import Sizes


def coordinate_attention(
    name: str, table: Mapping[str, str | Layer], reduce: Layer, bias: bool, **more: Any
) -> Dialect:
    """Return the dialect of a class whose parts are these; `bias` says whether its layers have biases."""

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> CoordinateAttention:
        hidden, channels = sizes.of(reduce, "weight", "hidden", "channels", 1)
        units = None if hidden == CoordinateAttention(channels).width else hidden
        return CoordinateAttention(channels, hidden=units, bias=bias, norm="reduce_norm" in table, **options)

    def parts(block: CoordinateAttention) -> Table:
        return {"reduce": reduce, **table}

    anchors = {reduce.key("weight"): (len(reduce.turn("weight").axes((0, 0, 1))),)}
    return Dialect(name, CoordinateAttention, infer=infer, table=parts, anchors=anchors, **more)


CONVOLUTIONS = {"reduce_norm": "bn1", "expand0": "conv_h", "expand1": "conv_w"}
FIRST = torch_point("conv1", 1)  # of a line here, of an image there

DIALECTS = (
    coordinate_attention(
        "houqb.CoordAtt",
        CONVOLUTIONS,
        FIRST,
        bias=True,
        definition="houqb/CoordAttention 7619bea, coordatt.py",
        differs="All convolutions have biases; 8 hidden units at least. Not here: more channels out than in (oup).",
        proven=("official/houqb_coord",),
    ),
)
