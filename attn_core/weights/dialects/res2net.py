"""The Res2Net authors' own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import Res2Bottleneck
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.errors import DialectError


def _infer(sizes: Sizes, options: Mapping[str, Any]) -> Res2Bottleneck:
    inside, channels = sizes.of(Layer("conv1"), "weight", "inside", "channels", 1, 1)
    width, kernel = sizes.of(Layer("convs.0"), "weight", "width", "width", "kernel", "kernel")
    (outputs,) = sizes.of(Layer("conv3"), "weight", "outputs", inside, 1, 1)
    planes, projects = max(outputs // 4, 1), "downsample.0.weight" in sizes
    if outputs % 4 or inside % width:
        raise DialectError(f"{sizes.dialect}: {outputs} is no multiple of 4, or {inside} none of {width} channels.")
    first = projects if options["first_of_stage"] is None else options["first_of_stage"]
    stride = options["stride"] or (2 if projects and channels != planes else 1)
    return Res2Bottleneck(
        channels,
        planes,
        inside // width,
        26 if planes * 26 // 64 == width else -(-64 * width // planes),
        kernel=kernel,
        stride=stride,
        first_of_stage=first,
        momentum=options["momentum"],
    )


def _table(block: Res2Bottleneck) -> Table:
    pieces = range(max(block.scale - 1, 1))
    return {
        "reduce": "conv1",
        "reduce_norm": "bn1",
        "expand": "conv3",
        "expand_norm": "bn3",
        "shortcut": "downsample.0",
        "shortcut_norm": "downsample.1",
        **{f"hierarchy.conv{i}": f"convs.{i}" for i in pieces},
        **{f"hierarchy.conv{i}_norm": f"bns.{i}" for i in pieces},
    }


DIALECTS = (
    Dialect(
        "res2net.Bottle2neck",
        Res2Bottleneck,
        definition="Res2Net/Res2Net-PretrainedModels 219c8c6, res2net.py",
        differs="Sizes do not tell the stride, nor the first block of a stage: as in their networks, a block with a "
        "shortcut's convolution is one, and has stride 2 unless the channels that come in are its planes.",
        proven=("official/res2net_bottle2neck", "official/res2net_bottle2neck_stage"),
        infer=_infer,
        table=_table,
        anchors={"convs.0.weight": (4,)},
        options={"stride": None, "first_of_stage": None, "momentum": 0.1},
    ),
)
