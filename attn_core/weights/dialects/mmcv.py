"""mmcv: its NonLocal1d, NonLocal2d and NonLocal3d, and its copy of GCNet's ContextBlock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import NonLocal
from attn_core.weights.dialects.alexhex7 import non_local, non_local_table
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.gcnet import context_block
from attn_core.weights.dialects.layout import Absent, Table
from attn_core.weights.dialects.sizes import Sizes

LAYERS = {"query": "theta.conv", "key": "phi{}.conv", "value": "g{}.conv", "project": "conv_out.conv"}
CONCATENATION = "concat_project.conv"


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> NonLocal:
    mode = non_local(sizes, LAYERS, CONCATENATION, {"mode": options["mode"]}).mode
    scale = options["scale"] or ("hidden" if mode == "embedded_gaussian" else "none")
    fields = {**options, "scale": scale, "norm": "conv_out.bn.weight" in sizes}
    return non_local(sizes, LAYERS, CONCATENATION, fields)


def _table(block: NonLocal) -> Table:
    table = non_local_table(block, LAYERS, CONCATENATION)
    return {**table, "norm": "conv_out.bn", "project.bias": Absent()} if block.norm else table


DIALECTS = (
    Dialect(
        "mmcv.NonLocal",
        NonLocal,
        definition="open-mmlab/mmcv a8073c7, mmcv/cnn/bricks/non_local.py: NonLocal1d, NonLocal2d, NonLocal3d",
        differs="In the mode embedded_gaussian the scale is hidden ** -0.5 (use_scale=False: scale='none'); with "
        "norm_cfg, of which batch norm alone is here, the last convolution has no bias.",
        proven=("official/mmcv_nonlocal2d_embedded_gaussian",),
        infer=_infer,
        table=_table,
        anchors={"g.conv.weight": (3, 4, 5), "g.0.conv.weight": (3, 4, 5)},
        options={"mode": None, "scale": None, "momentum": 0.1},
    ),
    context_block("mmcv.ContextBlock", "open-mmlab/mmcv 1d7b818, mmcv/cnn/bricks/context_block.py"),
)
