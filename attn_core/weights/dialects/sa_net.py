"""The shuffle attention authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import ShuffleAttention
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn
from attn_core.weights.dialects.sizes import Sizes

IMAGE = Turn(before=1, after=2)  # (1, channels, 1, 1)
CHANNEL, SPATIAL = (Layer(way, {"weight": IMAGE, "bias": IMAGE}, glue="") for way in "cs")


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> ShuffleAttention:
    (width,) = sizes.of(CHANNEL, "weight", "width")
    return ShuffleAttention(2 * options["groups"] * width, **options)


def _table(block: ShuffleAttention) -> Table:
    return {"channel": CHANNEL, "spatial": SPATIAL, "norm": "gn"}


def sa_layer(name: str, definition: str, proven: tuple[str, ...]) -> Dialect:
    """Return the dialect of a class sa_layer."""
    return Dialect(
        name,
        ShuffleAttention,
        definition=definition,
        differs="All groups share the arrays: their sizes tell the channels of half a group, the option groups (64 by "
        "default) the rest.",
        proven=proven,
        infer=_infer,
        table=_table,
        anchors={"cweight": (4,)},
        options={"groups": 64},
    )


DIALECTS = (
    sa_layer("sa_net.sa_layer", "wofmanaf/SA-Net 00a6760, models/sa_resnet.py", ("official/wofmanaf_sa_c64_g8",)),
)
