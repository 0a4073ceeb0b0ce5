"""The strip pooling authors' own code, SPNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import MixedPoolingModule, StripPooling
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.errors import DialectError

REPOSITORY = "Andrew-Qibin/SPNet 5e97da3"
MIXED = {
    "short_reduce": "conv1_1",
    "long_reduce": "conv1_2",
    "local": "conv2_0",
    "pool0": "conv2_1",
    "pool1": "conv2_2",
    "strip1": "conv2_3",
    "strip0": "conv2_4",
    "short_fuse": "conv2_5",
    "long_fuse": "conv2_6",
    "expand": "conv3",
}


def _strip(sizes: Sizes, options: Mapping[str, Any]) -> StripPooling:
    channels, kernel = sizes.of(Layer("conv1"), "weight", "channels", "channels", "kernel", 1)
    return StripPooling(channels, kernel, norm=True, relu=True, **options)


def _strip_table(block: StripPooling) -> Table:
    norms = {"strip0_norm": "bn1", "strip1_norm": "bn2"} if block.norm else {}
    return {"strip0": "conv1", "strip1": "conv2", "fuse": "conv3", **norms}


def _mixed(sizes: Sizes, options: Mapping[str, Any]) -> MixedPoolingModule:
    inside, channels = sizes.of(Layer("conv1_1.0"), "weight", "inside", "channels", 1, 1)
    (kernel,) = sizes.of(Layer("conv2_0.0"), "weight", inside, inside, "kernel", "kernel")
    reduction = max(channels // inside, 1)
    if channels // reduction != inside:
        raise DialectError(f"{sizes.dialect}: {channels} channels cannot be reduced to {inside}, by no whole number.")
    return MixedPoolingModule(channels, reduction, kernel=kernel, **options)


def _mixed_table(block: MixedPoolingModule) -> Table:
    convolutions = {ours: f"{theirs}.0" for ours, theirs in MIXED.items()}
    return convolutions | {f"{ours}_norm": f"{theirs}.1" for ours, theirs in MIXED.items()}


DIALECTS = (
    Dialect(
        "spnet.SPBlock",
        StripPooling,
        definition=f"{REPOSITORY}, models/resnet.py",
        differs="Their class returns the gate, which its caller multiplies with the image; here the block does. As "
        "many channels go out as come in.",
        proven=("official/spnet_spblock",),
        infer=_strip,
        table=_strip_table,
        anchors={"conv1.weight": (4,)},
        options={"momentum": 0.1},
    ),
    Dialect(
        "spnet.StripPooling",
        MixedPoolingModule,
        definition=f"{REPOSITORY}, models/customize.py",
        differs="Theirs is called StripPooling, here MixedPoolingModule, as in the paper; sizes do not tell the "
        "numbers of bins: option pools, (20, 12) by default.",
        proven=("official/spnet_strip_pooling_mpm",),
        infer=_mixed,
        table=_mixed_table,
        anchors={"conv1_1.0.weight": (4,)},
        options={"pools": (20, 12), "momentum": 0.1},
    ),
)
