"""The HybridSN article's residual blocks and networks: BasicBlock, Bottleneck, SENet and HybridSN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from attn_core.models import HybridSN, ResidualBlock, SEResNet
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.errors import DialectError

LARGE = ("p64_first", "p128", "p256_down", "p512")
SMALL = ("p64", "p256", "p512", "p128_down", "p512_down")


def _attention(channels: int, hidden: int) -> str:
    return "se" if hidden == max(1, round(channels / 16)) else f"SqueezeExcitation(hidden={hidden})"


def _residual(sizes: Sizes, options: Mapping[str, Any], bottleneck: bool) -> ResidualBlock:
    size = 1 if bottleneck else 3
    inside, channels = sizes.of(Layer("conv1"), "weight", "inside", "channels", size, size)
    hidden, outputs = sizes.of(Layer("fc1"), "weight", "hidden", "outputs")
    projects = "downsample.0.weight" in sizes
    halves = projects and channels != inside
    return ResidualBlock(
        channels,
        outputs,
        options["stride"] or (2 if halves else 1),
        attention=_attention(outputs, hidden),
        bottleneck=bottleneck,
        hidden=None if inside == (outputs // 4 if bottleneck else outputs) else inside,
        project=None if projects == (halves or channels != outputs) else projects,
        momentum=options["momentum"],
    )


def _residual_table(block: ResidualBlock) -> dict[str, str]:
    table = {"attention.reduce": "fc1", "attention.expand": "fc2"}
    table |= {"shortcut": "downsample.0", "shortcut_norm": "downsample.1"}
    for i in range(1, block.last + 1):
        table |= {f"conv{i}": f"conv{i}", f"conv{i}_norm": f"bn{i}"}
    return table


def _network(sizes: Sizes, options: Mapping[str, Any]) -> SEResNet:
    width, channels = sizes.of(Layer("conv1"), "weight", "width", "channels", 7, 7)
    classes, _ = sizes.of(Layer("fc"), "weight", "classes", "features")
    hidden, outputs = sizes.of(Layer("layer1.0.fc1"), "weight", "hidden", "outputs")
    counts: list[int] = []
    while f"layer{len(counts) + 1}.0.conv1.weight" in sizes:
        blocks = 0
        while f"layer{len(counts) + 1}.{blocks}.conv1.weight" in sizes:
            blocks += 1
        counts.append(blocks)
    return SEResNet(
        classes,
        tuple(counts),
        "layer1.0.conv3.weight" in sizes,
        channels=channels,
        attention=_attention(outputs, hidden),
        width=width,
        **options,
    )


def _network_table(network: SEResNet) -> Table:
    table = {"stem": "conv1", "stem_norm": "bn1", "classify": "fc"}
    for stage, depth in enumerate(network.depths, 1):
        blocks = network.parts()[f"stage{stage}"].parts()  # type: ignore[union-attr]  # a stage is a block
        for i in range(depth):
            own = _residual_table(blocks[f"block{i + 1}"])  # type: ignore[arg-type]  # of residual blocks
            table |= {f"stage{stage}.block{i + 1}.{ours}": f"layer{stage}.{i}.{their}" for ours, their in own.items()}
    return table


def _hybrid(sizes: Sizes, options: Mapping[str, Any]) -> HybridSN:
    (first,) = sizes.of(Layer("conv1_3d.0"), "weight", "first", 1, 7, 3, 3)
    (second,) = sizes.of(Layer("conv2_3d.0"), "weight", "second", first, 5, 3, 3)
    (third,) = sizes.of(Layer("conv3_3d.0"), "weight", "third", second, 3, 3, 3)
    planes, before = sizes.of(Layer("conv4_2d.0"), "weight", "planes", "before", 3, 3)
    hidden, features = sizes.of(Layer("fn1"), "weight", "hidden", "features")
    more, _ = sizes.of(Layer("fn2"), "weight", "more", "hidden")
    classes, _ = sizes.of(Layer("fn_out"), "weight", "classes", "more")
    attended = sizes.has(Layer("layer1.0.fc1"), "weight")
    pixels = features // (planes if attended else third * max(planes - 12, 1))
    fields = {"order": "3d_first" if attended else "2d_first", "norm": True, "relu": False}
    if attended:
        units, channels = sizes.of(Layer("layer1.0.fc1"), "weight", "units", "channels")
        fields["attention"] = _attention(channels, units)
    dropout = (0.1 if attended else 0.4) if options["dropout"] is None else options["dropout"]
    if math.isqrt(pixels) ** 2 != pixels:
        raise DialectError(f"{sizes.dialect}: fn1 takes {features} numbers, which are no square of pixels.")
    return HybridSN(
        before // third + 12 if attended else before,
        math.isqrt(pixels) + 8,
        classes,
        filters=(first, second, third, planes),
        hidden=(hidden, more),
        dropout=dropout,
        momentum=options["momentum"],
        **fields,  # type: ignore[arg-type]  # of three types
    )


def _hybrid_table(network: HybridSN) -> Table:
    table = {"plane": "conv4_2d.0", "plane_norm": "conv4_2d.1"}
    table |= {"dense1": "fn1", "dense2": "fn2", "classify": "fn_out"}
    for i in range(1, 4):
        table |= {f"cube{i}": f"conv{i}_3d.0", f"cube{i}_norm": f"conv{i}_3d.1"}
    for ours, layer in (("cube_attention", "layer1"), ("plane_attention", "layer2")):
        table |= {f"{ours}.reduce": f"{layer}.0.fc1", f"{ours}.expand": f"{layer}.0.fc2"}
    return table


def _residual_dialect(name: str, bottleneck: bool, proven: tuple[str, ...]) -> Dialect:
    return Dialect(
        f"seeds.{name}",
        ResidualBlock,
        definition=f"the HybridSN article, {name}",
        differs="Sizes do not tell the stride: as in SENet, it is 2 where a shortcut's convolution comes with another "
        "number of channels than the first one has. The SE layers stand in the block itself.",
        proven=proven,
        infer=partial(_residual, bottleneck=bottleneck),
        table=_residual_table,
        anchors={"conv3.weight" if bottleneck else "conv2.weight": (4,)},
        options={"stride": None, "momentum": 0.1},
    )


DIALECTS = (
    _residual_dialect("BasicBlock", False, tuple(f"torch/003_basic_block_{size}" for size in SMALL)),
    _residual_dialect("Bottleneck", True, tuple(f"torch/003_bottleneck_{size}" for size in LARGE)),
    Dialect(
        "seeds.SENet",
        SEResNet,
        definition="the HybridSN article, SENet and se_resnet_18 to se_resnet_152",
        differs="Means are over all pixels here, there over the windows that images of 224 pixels leave.",
        proven=("torch/003_se_resnet_18", "torch/003_se_resnet_50"),
        infer=_network,
        table=_network_table,
        anchors={"layer1.0.fc1.weight": (2,)},
        options={"momentum": 0.1},
    ),
    Dialect(
        "seeds.HybridSN",
        HybridSN,
        definition="the HybridSN article, both classes HybridSN",
        differs="Sizes do not tell the dropout: option dropout, by default 0.1 with attention, otherwise 0.4.",
        proven=("torch/003_hybridsn_attention", "torch/003_hybridsn_2d_first"),
        infer=_hybrid,
        table=_hybrid_table,
        anchors={"fn1.weight": (2,)},
        options={"dropout": None, "momentum": 0.1},
    ),
)
