"""facebookresearch's ConvNeXt V2: the global response normalisation authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import GlobalResponseNorm
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn
from attn_core.weights.dialects.sizes import Sizes


def global_response_norm(name: str, layer: Layer, **more: Any) -> Dialect:
    """Return the dialect of a class whose two arrays are those of this layer."""

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> GlobalResponseNorm:
        (channels,) = sizes.of(layer, "weight", "channels")
        return GlobalResponseNorm(channels, **options)

    def table(block: GlobalResponseNorm) -> Table:
        return {"affine": layer}

    anchors = {layer.key("weight"): (len(layer.turn("weight").axes((0,))),)}
    return Dialect(name, GlobalResponseNorm, infer=infer, table=table, anchors=anchors, **more)


PIXELS_FIRST = Turn(before=3)  # (1, 1, 1, channels)

DIALECTS = (
    global_response_norm(
        "convnextv2.GRN",
        Layer("", {"weight": PIXELS_FIRST, "bias": PIXELS_FIRST}, {"weight": "gamma", "bias": "beta"}, glue=""),
        definition="facebookresearch/ConvNeXt-V2 2553895, models/utils.py",
        differs="Its images are (batch, height, width, channels), its arrays (1, 1, 1, channels). Not here: "
        "MinkowskiGRN, of sparse images, which takes the lengths over the whole batch.",
        proven=("official/convnextv2_grn",),
    ),
)
