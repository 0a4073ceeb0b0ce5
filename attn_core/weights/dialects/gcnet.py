"""The GCNet authors' own code, which mmcv has too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import GlobalContext
from attn_core.blocks.global_context import Fusion, Pool
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, Turn, torch_point
from attn_core.weights.dialects.shared import hidden_units
from attn_core.weights.dialects.sizes import Sizes

NORM = {"weight": Turn(after=2), "bias": Turn(after=2)}  # (hidden, 1, 1)
FUSIONS = {"add": {"add": "channel_add_conv"}, "scale": {"scale": "channel_mul_conv"}}
FUSIONS["both"] = FUSIONS["add"] | FUSIONS["scale"]


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> GlobalContext:
    known: tuple[Fusion, ...] = ("add", "scale")
    ways = [way for way in known if sizes.has(Layer(f"{FUSIONS[way][way]}.0"), "weight")]
    fusion: Fusion = "both" if len(ways) > 1 else ways[0] if ways else "add"
    first = torch_point(f"{next(iter(FUSIONS[fusion].values()))}.0")
    hidden, channels = sizes.of(first, "weight", "hidden", "channels")
    pool: Pool = "attention" if "conv_mask.weight" in sizes else "mean"
    return GlobalContext(channels, **hidden_units(channels, hidden), pool=pool, fusion=fusion)


def _table(block: GlobalContext) -> Table:
    table: dict[str, str | Layer] = {"mask": torch_point("conv_mask")}
    for way, theirs in FUSIONS[block.fusion].items():
        table[f"{way}_reduce"] = torch_point(f"{theirs}.0")
        table[f"{way}_norm"] = Layer(f"{theirs}.1", NORM)
        table[f"{way}_expand"] = torch_point(f"{theirs}.3")
    return table


def context_block(name: str, definition: str, proven: tuple[str, ...] = ()) -> Dialect:
    """Return the dialect of a class ContextBlock."""
    return Dialect(
        name,
        GlobalContext,
        definition=definition,
        differs="It adds by default, where timm scales; its layer norm has eps 1e-5 and arrays (hidden, 1, 1).",
        proven=proven,
        infer=_infer,
        table=_table,
        anchors={"channel_add_conv.0.weight": (4,), "channel_mul_conv.0.weight": (4,)},
    )


DIALECTS = (
    context_block(
        "gcnet.ContextBlock",
        "xvjiarui/GCNet 029db54, mmdet/ops/gcb/context_block.py",
        ("official/gcnet_context_add", "official/gcnet_context_mul"),
    ),
)
