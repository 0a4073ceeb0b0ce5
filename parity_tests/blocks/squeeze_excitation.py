"""Squeeze-and-excitation: cases, recordings, and equations 2 to 4 of the paper."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording
from loops import batch_norm

import attn_core as core

BLOCK = SE = core.SqueezeExcitation

# Seeds are picked so that every weight matters (no hidden unit is dead) and no gradient is the small difference of
# large terms, whose rounding would be all one sees.
CASES = {
    "default": Case(SE(32), (2, 32, 3, 2), seed=3),
    "line": Case(SE(8, 2), (2, 8, 5), seed=3),
    "volume": Case(SE(8, 2), (2, 8, 2, 3, 1)),
    "one_pixel": Case(SE(8, 4), (3, 8, 1, 1)),
    "one_wide": Case(SE(8, 4), (2, 8, 5, 1), seed=3),
    "odd_channels": Case(SE(7, 3), (2, 7, 3, 3)),
    "hidden": Case(SE(6, hidden=5), (2, 6, 2, 3), seed=1),
    "no_bias": Case(SE(8, 2, bias=False), (2, 8, 3, 3), seed=7),
    "silu": Case(SE(8, 2, activation="silu"), (2, 8, 3, 3)),
    "gelu": Case(SE(8, 2, activation="gelu"), (2, 8, 3, 3)),
    "se_leaky_relu": Case(SE(8, 2, activation="leaky_relu"), (2, 8, 3, 3)),
    "se_residual": Case(SE(6, 3, activation="leaky_relu", gate="relu", residual=True), (3, 6, 3, 3), seed=16),
    "se_norm": Case(SE(6, 2, norm=True), (3, 6, 3, 3)),
    "se_norm_train": Case(SE(6, 2, norm=True, momentum=0.3), (4, 6, 5), seed=1, train=True, still=("reduce.bias",)),
    "hard_sigmoid": Case(SE(8, 2, gate="hard_sigmoid"), (2, 8, 3, 3), seed=29),
}

RECORDINGS = [
    Recording("torch/001_se_c64_r16", SE(64, bias=False), "seeds.SELayer"),
    Recording("torch/001_se_c40_r16", SE(40, bias=False), "seeds.SELayer"),
    Recording("torch/003_attention_block_p24_s6", SE(24, hidden=2), "seeds.Attention_Block"),
    Recording("torch/003_attention_block_p40_s5", SE(40), "seeds.Attention_Block"),
    Recording("torch/003_attention_block_p56_s4", SE(56, hidden=4), "seeds.Attention_Block"),
    Recording("torch/003_attention_block_p64_s7", SE(64), "seeds.Attention_Block"),
    Recording("official/aimed_cse", SE(16, hidden=8), "aimed.ChannelSELayer"),
    Recording("official/cadene_se", SE(32, hidden=4), "cadene.SEModule"),
    Recording("official/mmpretrain_se", SE(32, hidden=8), "mmpretrain.SELayer"),
    Recording("official/mobilenetv3_se", SE(32, hidden=8, gate="hard_sigmoid"), "dli14.SELayer"),
    Recording("official/monai_channel_se_1d_r4", SE(16, hidden=4), "monai.ChannelSELayer"),
    Recording("official/monai_channel_se_3d", SE(12, hidden=4), "monai.ChannelSELayer"),
    Recording(
        "official/monai_residual_se_2d",
        SE(16, hidden=8, activation="leaky_relu", gate="relu", residual=True),
        "monai.ResidualSELayer",
    ),
    Recording(
        "official/keras_hub_se",
        SE(32, hidden=8),
        "keras_hub.SqueezeAndExcite2D",
        prefix="se/se_",
    ),
    Recording(
        "official/keras_mobilenetv3_se",
        SE(32, hidden=8, gate="hard_sigmoid"),
        "keras_applications.mobilenet_v3",
        prefix="a_",
    ),
    Recording("official/rexnet_se", SE(24, hidden=2, norm=True), "rexnet.SE", modes=("eval", "train")),
    Recording("official/pycls_se", SE(32, hidden=6), "pycls.SE"),
    Recording("official/moskomule_se", SE(32, hidden=4, bias=False), "moskomule.SELayer"),
    Recording("official/timm_se", SE(64, hidden=8), "timm.SEModule"),
    Recording("official/torchvision_se", SE(32, hidden=8), "torchvision.SqueezeExcitation"),
]

OTHERS = {"official/keras_efficientnet_block"}  # a whole block: see `test_larger_blocks.py`

HARD, SILU, RELU_SIGMOID = {"gate": "hard_sigmoid"}, {"activation": "silu"}, {"activation": "relu", "gate": "sigmoid"}
EXPRESSIBLE = {
    "aimed.ChannelSELayer": [(SE(16, hidden=8), {}), (SE(7, hidden=3), {})],
    "dli14.SELayer": [(SE(32, hidden=8, gate="hard_sigmoid"), {})],
    "mmpretrain.SELayer": [(SE(32, hidden=8), {}), (SE(8, hidden=8, gate="hard_sigmoid"), HARD)],
    "monai.ChannelSELayer": [
        (SE(16, hidden=8), {}),
        (SE(5, hidden=2), {}),
        (SE(4, hidden=2, activation="gelu", residual=True), {"activation": "gelu", "residual": True}),
    ],
    "monai.ResidualSELayer": [
        (SE(16, hidden=8, activation="leaky_relu", gate="relu", residual=True), {}),
        (SE(5, hidden=2, gate="sigmoid", residual=True), RELU_SIGMOID),
    ],
    "rexnet.SE": [(SE(24, hidden=2, norm=True), {}), (SE(8, hidden=3, norm=True, momentum=0.01), {"momentum": 0.01})],
    "pycls.SE": [(SE(32, hidden=6), {}), (SE(32, hidden=8, activation="silu"), {"activation": "silu"})],
    "cadene.SEModule": [(SE(32), {}), (SE(40, hidden=7), {})],
    "keras_applications.efficientnet": [(SE(32, activation="silu", hidden=4), {})],
    "keras_applications.mobilenet_v3": [(SE(16, hidden=8, gate="hard_sigmoid"), {})],
    "keras_hub.MBConvBlock": [(SE(32, hidden=4, activation="silu"), {})],
    "keras_hub.SqueezeAndExcite2D": [(SE(16, hidden=8, gate="hard_sigmoid"), HARD)],
    "kobiso.se_block": [(SE(16, hidden=2), {}), (SE(5, hidden=5, bias=False), {})],
    "moskomule.SELayer": [(SE(32, bias=False), {}), (SE(6, hidden=5, bias=False), {})],
    "seeds.Attention_Block": [(SE(40), {}), (SE(24, hidden=2), {})],
    "seeds.SELayer": [(SE(32, bias=False), {}), (SE(6, hidden=5, bias=False), {})],
    "taki0112.squeeze_excitation_layer": [(SE(16, hidden=4, bias=False), {})],
    "tf1.se_block": [(SE(64), {}), (SE(6, hidden=6, bias=False, activation="silu"), SILU)],
    "tf1.se_block_conv2d": [(SE(64), {}), (SE(6, hidden=4, bias=False), {})],
    "tf1.se_block_slim": [(SE(64), {}), (SE(6, hidden=4, gate="hard_sigmoid"), HARD)],
    "timm.SEModule": [
        (SE(64, hidden=8), {}),
        (SE(24, hidden=2, norm=True, momentum=0.01), {"momentum": 0.01}),
        (SE(6, hidden=3, bias=False, gate="hard_sigmoid"), HARD),
    ],
    "timm.SqueezeExcite": [(SE(32, hidden=8), {}), (SE(6, hidden=3, activation="silu"), SILU)],
    "torchvision.SqueezeExcitation": [(SE(32, hidden=8), {}), (SE(6, activation="silu", hidden=3), SILU)],
}

REFUSED = {
    "SqueezeExcitation(8, reduction=16)": (
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    ),
    "SqueezeExcitation(8, reduction=0)": (
        "SqueezeExcitation(channels=8, reduction=0) divides by 0: reduction must lie between 1 and 8."
    ),
    "SqueezeExcitation(8, reduction=-2)": (
        "SqueezeExcitation(channels=8, reduction=-2) divides by -2: reduction must lie between 1 and 8."
    ),
    "SqueezeExcitation(0)": "SqueezeExcitation(channels=0, reduction=None): channels must be at least 1.",
    "SqueezeExcitation(8.0)": "SqueezeExcitation: channels must be int, got 8.0.",
    "SqueezeExcitation(True)": "SqueezeExcitation: channels must be int, got True.",
    "SqueezeExcitation(8, hidden=0)": (
        "SqueezeExcitation(channels=8, hidden=0) leaves no hidden unit: hidden must be at least 1."
    ),
    "SqueezeExcitation(8, hidden='4')": "SqueezeExcitation: hidden must be int or None, got '4'.",
    "SqueezeExcitation(32, bias=1)": "SqueezeExcitation: bias must be bool, got 1.",
    "SqueezeExcitation(32, activation='selu')": (
        "SqueezeExcitation(channels=32, reduction=16, activation='selu'): "
        "activation must be one of relu, silu, gelu, hard_swish, leaky_relu; got 'selu'."
    ),
    "SqueezeExcitation(32, gate='tanh')": (
        "SqueezeExcitation(channels=32, reduction=16, gate='tanh'): "
        "gate must be one of sigmoid, hard_sigmoid, relu; got 'tanh'."
    ),
    "SqueezeExcitation(32, norm=1)": "SqueezeExcitation: norm must be bool, got 1.",
    "SqueezeExcitation(32, norm=True, momentum=2)": (
        "SqueezeExcitation(channels=32, reduction=16, norm=True, momentum=2): momentum must lie between 0 and 1, got 2."
    ),
}

RESOLVED = {
    "SqueezeExcitation(40)": {"reduction": 16, "width": 2},
    "SqueezeExcitation(8)": {"reduction": 8, "width": 1},
    "SqueezeExcitation(8, hidden=12)": {"reduction": 16, "width": 12},
}

FUNCTIONS = {
    "relu": lambda v: max(v, 0.0),
    "leaky_relu": lambda v: max(v, 0.01 * v),
    "silu": lambda v: v / (1 + math.exp(-v)),
    "gelu": lambda v: v * 0.5 * math.erfc(-v / math.sqrt(2)),
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "hard_sigmoid": lambda v: min(max(v + 3, 0.0), 6.0) / 6,
}


def naive(block: core.SqueezeExcitation, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One number after the other."""
    activation, gate = FUNCTIONS[block.activation], FUNCTIONS[block.gate]
    output = np.empty_like(x)
    hidden = np.empty((len(x), block.width))
    for n in range(x.shape[0]):
        z = [math.fsum(x[n, c].ravel()) / x[n, c].size for c in range(block.channels)]
        for h in range(block.width):
            total = math.fsum(w["reduce.weight"][h, c] * z[c] for c in range(block.channels))
            hidden[n, h] = total + (w["reduce.bias"][h] if block.bias else 0.0)
    if block.norm:
        hidden = batch_norm(hidden, w, "reduce_norm", train)
    for n in range(x.shape[0]):
        for c in range(block.channels):
            parts = (w["expand.weight"][c, h] * activation(hidden[n, h]) for h in range(block.width))
            factor = gate(math.fsum(parts) + (w["expand.bias"][c] if block.bias else 0.0))
            output[n, c] = (factor + 1 if block.residual else factor) * x[n, c]
    return output
