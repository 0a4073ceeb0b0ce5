"""Efficient channel attention: cases, recordings, and the equations of the paper's section 3.2."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = ECA = core.EfficientChannelAttention

CASES = {
    "eca": Case(ECA(8), (2, 8, 3, 2)),
    "eca_line": Case(ECA(7, 5), (2, 7, 5)),
    "eca_volume": Case(ECA(6, 3), (2, 6, 2, 3, 1)),
    "eca_one_pixel": Case(ECA(5, 3), (3, 5, 1, 1)),
    "eca_alone": Case(ECA(4), (2, 4, 3, 3)),  # a kernel of 1
    "eca_circular": Case(ECA(6, 5, border="circular"), (2, 6, 3, 2)),
    "eca_bias": Case(ECA(6, bias=True), (2, 6, 3, 2)),
    "eca_hidden": Case(ECA(6, 3, hidden=2, bias=True), (2, 6, 3, 2)),
    "eca_wide": Case(ECA(3, 5), (2, 3, 4, 3)),  # the kernel reaches beyond all channels
}

RECORDINGS = [
    Recording("official/eca_official", ECA(32), "bangguwu.eca_layer", {"channels": 32}),
    Recording("official/timm_eca_c64", ECA(64), "timm.EcaModule"),
    Recording("official/timm_eca_mlp", ECA(64, hidden=8, bias=True), "timm.EcaModule"),
    Recording("official/xmu_eca", ECA(16, 5, bias=True), "xmu.ECAAttention", {"channels": 16}),
    Recording("official/timm_ceca_c64", ECA(64, border="circular"), "timm.CecaModule"),
]

OF_CHANNELS = {"channels": 6}  # which the array does not tell
EXPRESSIBLE = {
    "bangguwu.eca_layer": [(ECA(64), {}), (ECA(6, 5), OF_CHANNELS)],
    "timm.CecaModule": [(ECA(64, border="circular"), {}), (ECA(6, 5, border="circular"), OF_CHANNELS)],
    "timm.EcaModule": [(ECA(64), {}), (ECA(6, 5), OF_CHANNELS), (ECA(64, 5, hidden=3, bias=True), {})],
    "xmu.ECAAttention": [(ECA(64, 5, bias=True), {})],
}

REFUSED = {
    "EfficientChannelAttention(0)": "EfficientChannelAttention(channels=0, kernel=None): channels must be at least 1.",
    "EfficientChannelAttention(8, -1)": "EfficientChannelAttention(channels=8, kernel=-1): kernel must be at least 1.",
    "EfficientChannelAttention(8, 4)": (
        "EfficientChannelAttention(channels=8, kernel=4): kernel must be odd, so that it has a centre."
    ),
    "EfficientChannelAttention(8, border='mirror')": (
        "EfficientChannelAttention(channels=8, kernel=3, border='mirror'): "
        "border must be one of zeros, circular; got 'mirror'."
    ),
    "EfficientChannelAttention(8, bias=1)": "EfficientChannelAttention: bias must be bool, got 1.",
    "EfficientChannelAttention(8, hidden=0)": (
        "EfficientChannelAttention(channels=8, kernel=3, hidden=0): hidden must be at least 1."
    ),
}

# The odd number nearest to (log2 C + 1) / 2, the larger of two.
KERNELS = {1: 1, 2: 1, 7: 1, 8: 3, 64: 3, 127: 3, 128: 5, 256: 5, 2047: 5, 2048: 7}
RESOLVED = {
    **{f"EfficientChannelAttention({channels})": {"kernel": kernel} for channels, kernel in KERNELS.items()},
    "EfficientChannelAttention(64, 9)": {"kernel": 9},
}


def naive(block: core.EfficientChannelAttention, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    kernel, reach = w["conv.weight"][0], w["conv.weight"].shape[2] // 2
    bias = w["conv.bias"][0] if block.bias else 0.0
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        y = [means_of(block, w, math.fsum(x[n, c].ravel()) / x[n, c].size) for c in range(block.channels)]
        for c in range(block.channels):
            near = range(c - reach, c + reach + 1)
            if block.border == "zeros":
                near = [i for i in near if 0 <= i < block.channels]
            products = [kernel[k, i - c + reach] * y[i % block.channels][k] for i in near for k in range(len(kernel))]
            output[n, c] = x[n, c] / (1 + math.exp(-math.fsum(products) - bias))
    return output


def means_of(block: core.EfficientChannelAttention, w: dict[str, np.ndarray], mean: float) -> list[float]:
    """Return what the convolution sees of a channel: its mean, or the hidden numbers that are made of it."""
    if block.hidden is None:
        return [mean]
    biases = w["spread.bias"] if block.bias else [0.0] * block.hidden
    return [max(weight * mean + bias, 0.0) for weight, bias in zip(w["spread.weight"].ravel(), biases, strict=True)]
