"""Blocks that each dialect can express: what the tests of dialects read and write."""

from __future__ import annotations

from typing import Any

import numpy as np

import attn_core as core
from attn_core.weights import Weights

SE, CAM, SAM, CBAM, NL, GC = (
    core.SqueezeExcitation,
    core.ChannelAttention,
    core.SpatialAttention,
    core.CBAM,
    core.NonLocal,
    core.GlobalContext,
)
RES, RES2, SA = core.ResidualBlock, core.Res2Bottleneck, core.ShuffleAttention
SMALL = {"hidden": (4, 3), "filters": (2, 3, 2, 3), "norm": True, "relu": False}
PLANES = SMALL | {"filters": (2, 2, 3, 13)}
HARD, SILU = {"gate": "hard_sigmoid"}, {"activation": "silu"}
OWN = "SqueezeExcitation(hidden=3)"

# A block, and the options with which its dialect reads it.
Example = tuple[core.Block, dict[str, Any]]

CONTEXTS: list[Example] = [
    (GC(32, hidden=8), {}),
    (GC(8, hidden=3, fusion="scale"), {}),
    (GC(8, hidden=3, fusion="both", pool="mean"), {}),
]
EXAMPLES: dict[str, list[Example]] = {
    "alexhex7.NONLocalBlock": [
        (NL(6), {}),
        (NL(5, 3, mode="dot_product", subsample=2, rank=1), {"mode": "dot_product"}),
        (NL(6, mode="gaussian", subsample=2, norm=True, momentum=0.3), {"momentum": 0.3}),
        (NL(6, 2, mode="concatenation", subsample=(1, 2, 2), norm=True, rank=3), {}),
    ],
    "cadene.SEModule": [(SE(32), {}), (SE(40, hidden=7), {})],
    "emanet.EMAU": [
        (core.ExpectationMaximizationAttention(6, 4), {}),
        (core.ExpectationMaximizationAttention(6, 6, steps=2, norm_momentum=0.1), {"steps": 2, "norm_momentum": 0.1}),
    ],
    "gcnet.ContextBlock": CONTEXTS,
    "jongchan.CBAM": [(CBAM(32, bias=True, norm=True), {}), (CBAM(8, hidden=8, kernel=3, bias=True, norm=True), {})],
    "jongchan.ChannelGate": [(CAM(32, bias=True), {}), (CAM(8, hidden=3, bias=True, pools="max"), {"pools": "max"})],
    "jongchan.SpatialGate": [(SAM(norm=True), {}), (SAM(3, norm=True, momentum=0.1), {"momentum": 0.1})],
    "keras_applications.efficientnet": [(SE(32, activation="silu", hidden=4), {})],
    "keras_applications.mobilenet_v3": [(SE(16, hidden=8, gate="hard_sigmoid"), {})],
    "keras_hub.MBConvBlock": [(SE(32, hidden=4, activation="silu"), {})],
    "keras_hub.SqueezeAndExcite2D": [(SE(16, hidden=8, gate="hard_sigmoid"), HARD)],
    "kobiso.cbam_block": [(CBAM(32, bias=True, spatial_bias=True), {}), (CBAM(8, hidden=8, bias=True), {})],
    "kobiso.se_block": [(SE(16, hidden=2), {}), (SE(5, hidden=5, bias=False), {})],
    "mmcv.ContextBlock": CONTEXTS,
    "mmcv.NonLocal": [
        (NL(6, scale="hidden"), {}),
        (NL(5, 5, mode="dot_product", rank=1), {"mode": "dot_product"}),
        (NL(6, mode="gaussian", subsample=(1, 2, 2), rank=3), {}),
        (NL(6, 2, mode="concatenation", subsample=2), {}),
        (NL(6, norm=True), {"scale": "none"}),
    ],
    "moskomule.SELayer": [(SE(32, bias=False), {}), (SE(6, hidden=5, bias=False), {})],
    "res2net.Bottle2neck": [
        (RES2(64, 16), {}),
        (RES2(24, 16, 3, 12, stride=2, first_of_stage=True), {}),
        (RES2(16, 16, 1, 8, first_of_stage=True), {}),
        (RES2(32, 16, 2, stride=3, first_of_stage=True), {"stride": 3}),
    ],
    "sa_net.sa_layer": [(SA(256), {}), (SA(24, 2), {"groups": 2})],
    "seeds.Attention_Block": [(SE(40), {}), (SE(24, hidden=2), {})],
    "seeds.BasicBlock": [
        (RES(4, 4, attention=OWN), {}),
        (RES(32, 64, 2, attention="se", momentum=0.3), {"momentum": 0.3}),
        (RES(3, 4, attention=OWN, hidden=5), {"stride": 1}),
    ],
    "seeds.Bottleneck": [
        (RES(16, 16, attention="se", bottleneck=True), {}),
        (RES(8, 32, attention=OWN, bottleneck=True), {}),
        (RES(16, 32, 2, attention=OWN, bottleneck=True, hidden=3), {}),
    ],
    "seeds.CBAM": [(CBAM(32), {}), (CBAM(8, hidden=8, kernel=3), {})],
    "seeds.ChannelAttention": [(CAM(32), {}), (CAM(8, hidden=8), {})],
    "seeds.HybridSN": [
        (core.HybridSN(14, 9, 3, attention=OWN, dropout=0.1, **SMALL), {}),
        (
            core.HybridSN(2, 10, 3, order="2d_first", dropout=0.2, **SMALL | {"filters": (2, 2, 3, 13)}),
            {"dropout": 0.2},
        ),
    ],
    "seeds.SELayer": [(SE(32, bias=False), {}), (SE(6, hidden=5, bias=False), {})],
    "seeds.SENet": [
        (core.SEResNet(3, (2, 1), False, channels=2, width=16), {}),
        (core.SEResNet(3, (1, 2, 1), width=4), {}),
    ],
    "seeds.SpatialAttention": [(SAM(), {}), (SAM(3), {})],
    "seeds.sa_layer": [(SA(256), {}), (SA(24, 2), {"groups": 2})],
    "spnet.SPBlock": [(core.StripPooling(6, norm=True, relu=True), {})],
    "spnet.StripPooling": [
        (core.MixedPoolingModule(8), {}),
        (core.MixedPoolingModule(9, 3, pools=(3, 2), kernel=5), {"pools": (3, 2)}),
    ],
    "taki0112.squeeze_excitation_layer": [(SE(16, hidden=4, bias=False), {})],
    "tf1.cbam_block": [(CBAM(32), {})],
    "tf1.se_block": [(SE(64), {}), (SE(6, hidden=6, bias=False, activation="silu"), SILU)],
    "tf1.se_block_conv2d": [(SE(64), {}), (SE(6, hidden=4, bias=False), {})],
    "tf1.se_block_slim": [(SE(64), {}), (SE(6, hidden=4, gate="hard_sigmoid"), HARD)],
    "timm.CbamModule": [
        (CBAM(32, norm=True, momentum=0.1), {}),
        (CBAM(8, hidden=2, kernel=3, bias=True, norm=True), {"momentum": 0.01}),
    ],
    "timm.GlobalContext": [
        (GC(32, hidden=4, fusion="scale", eps=1e-6), {}),
        (GC(8, hidden=3, eps=1e-5), {"eps": 1e-5}),
        (GC(8, hidden=3, fusion="both", pool="mean", eps=1e-6), {}),
    ],
    "timm.NonLocalAttn": [(NL(16, 8, scale="channels", norm=True), {}), (NL(4, 2, norm=True), {"scale": "none"})],
    "timm.SEModule": [
        (SE(64, hidden=8), {}),
        (SE(6, hidden=3, bias=False, gate="hard_sigmoid"), HARD),
    ],
    "timm.SqueezeExcite": [(SE(32, hidden=8), {}), (SE(6, hidden=3, activation="silu"), SILU)],
    "torchvision.SqueezeExcitation": [
        (SE(32, hidden=8), {}),
        (SE(6, activation="silu", hidden=3), SILU),
    ],
}
LISTED = [(name, i) for name, examples in EXAMPLES.items() for i in range(len(examples))]


def weights_of(block: core.Block, dtype: str = "float32", seed: int = 0) -> Weights:
    """Random numbers for all arrays, also those that start at 0."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(array.shape).astype(dtype) for name, array in block.arrays().items()}


def same(one: Weights, other: Weights) -> bool:
    """Say whether two dicts of arrays have the same names, types, shapes and bits."""
    return one.keys() == other.keys() and all(
        a.dtype == other[name].dtype and a.shape == other[name].shape and np.array_equal(_bytes(a), _bytes(other[name]))
        for name, a in one.items()
    )


def _bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view("u1")
