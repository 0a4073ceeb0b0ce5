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
    "eca_wide": Case(ECA(3, 5), (2, 3, 4, 3)),  # the kernel reaches beyond all channels
}

RECORDINGS = [
    Recording("official/eca_official", ECA(32), "bangguwu.eca_layer", {"channels": 32}),
    Recording("official/timm_eca_c64", ECA(64), "timm.EcaModule"),
]

OF_CHANNELS = {"channels": 6}  # which the array does not tell
EXPRESSIBLE = {
    "bangguwu.eca_layer": [(ECA(64), {}), (ECA(6, 5), OF_CHANNELS)],
    "timm.EcaModule": [(ECA(64), {}), (ECA(6, 5), OF_CHANNELS)],
}

REFUSED = {
    "EfficientChannelAttention(0)": "EfficientChannelAttention(channels=0, kernel=None): channels must be at least 1.",
    "EfficientChannelAttention(8, -1)": "EfficientChannelAttention(channels=8, kernel=-1): kernel must be at least 1.",
    "EfficientChannelAttention(8, 4)": (
        "EfficientChannelAttention(channels=8, kernel=4): kernel must be odd, so that it has a centre."
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
    kernel = w["conv.weight"].ravel()
    reach = len(kernel) // 2
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        y = [math.fsum(x[n, c].ravel()) / x[n, c].size for c in range(block.channels)]
        for c in range(block.channels):
            near = range(max(c - reach, 0), min(c + reach + 1, block.channels))
            total = math.fsum(kernel[i - c + reach] * y[i] for i in near)
            output[n, c] = x[n, c] / (1 + math.exp(-total))
    return output
