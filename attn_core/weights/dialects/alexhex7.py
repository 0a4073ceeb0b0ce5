"""AlexHex7's non-local blocks for PyTorch, in four modes and for one to three axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import NonLocal
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table, torch_point
from attn_core.weights.dialects.sizes import Sizes

LAYERS = {"query": "theta", "key": "phi{}", "value": "g{}", "project": "W"}
CONCATENATION = "concat_project.0"
WINDOWS: dict[int, int | tuple[int, ...]] = {1: 2, 2: 2, 3: (1, 2, 2)}  # of sub_sample=True, by the number of axes


def non_local(sizes: Sizes, layers: Mapping[str, str], concatenation: str, options: Mapping[str, Any]) -> NonLocal:
    """Return the block of these layers, in whose names {} stands for what a subsampled one has more."""
    subsampled = sizes.has(Layer(layers["value"].format(".0")), "weight")
    value = Layer(layers["value"].format(".0" if subsampled else ""))
    rank = max(1, min(3, sizes.rank(value)))
    hidden, channels = sizes.of(value, "weight", "hidden", "channels", *[1] * rank)
    mode = options["mode"] or "embedded_gaussian"
    if not sizes.has(Layer(layers["query"]), "weight"):
        mode = "gaussian"
    elif sizes.has(Layer(concatenation), "weight"):
        mode = "concatenation"
    own = None if hidden == max(channels // 2, 1) else hidden
    window = WINDOWS[rank] if subsampled else 1
    return NonLocal(channels, own, **{**options, "mode": mode}, subsample=window, rank=rank)


def non_local_table(block: NonLocal, layers: Mapping[str, str], concatenation: str) -> dict[str, str | Layer]:
    """Say where the parts of a block are."""
    inside = ".0" if max(block.window) > 1 else ""
    scores = dict.fromkeys(("query_score", "key_score"), torch_point(concatenation))
    return {**{ours: theirs.format(inside) for ours, theirs in layers.items()}, **scores}


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> NonLocal:
    return non_local(sizes, LAYERS, CONCATENATION, {**options, "norm": "W.1.weight" in sizes})


def _table(block: NonLocal) -> Table:
    table = non_local_table(block, LAYERS, CONCATENATION)
    return {**table, "project": "W.0", "norm": "W.1"} if block.norm else table


DIALECTS = (
    Dialect(
        "alexhex7.NONLocalBlock",
        NonLocal,
        definition="AlexHex7/Non-local_pytorch ec15789, lib/non_local_*.py: NONLocalBlock1D, 2D and 3D of four files",
        differs="The scale is 1. Sizes do not tell embedded_gaussian, the default, from dot_product: option mode.",
        proven=(
            "official/alexhex7_embedded_gaussian_2d_plain",
            "official/alexhex7_concatenation_2d_plain",
            "official/alexhex7_dot_product_1d",
            "official/alexhex7_gaussian_2d",
        ),
        infer=_infer,
        table=_table,
        anchors={"g.weight": (3, 4, 5), "g.0.weight": (3, 4, 5)},
        options={"mode": None, "momentum": 0.1},
    ),
)
