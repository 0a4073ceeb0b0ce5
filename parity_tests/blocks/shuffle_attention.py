"""Shuffle attention: cases, recordings, and equations 1 to 3 of the paper."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = SA = core.ShuffleAttention

# No case of one pixel: there, a rounding error of the norm counts 316 times, too much for float32.
CASES = {
    "sa": Case(SA(12, 2), (2, 12, 3, 5)),
    "sa_one_group": Case(SA(8, 1), (2, 8, 4, 3)),
    "sa_narrow": Case(SA(6, 3), (3, 6, 3, 3), seed=14),
    "sa_line": Case(SA(8, 2), (2, 8, 7)),
    "sa_volume": Case(SA(8, 2), (2, 8, 3, 2, 2), seed=5),
    "sa_one_wide": Case(SA(8, 2), (2, 8, 6, 1)),
}


def recording(folder: str, block: core.ShuffleAttention, **how: object) -> Recording:
    source = "sa_net" if "wofmanaf" in folder else "seeds"
    return Recording(folder, block, f"{source}.sa_layer", {"groups": block.groups}, **how)


RECORDINGS = [
    recording("torch/004_sa_c64_g8", SA(64, 8)),
    recording("torch/004_sa_c64_g8_fresh", SA(64, 8)),
    recording("torch/004_sa_c32_g4_even", SA(32, 4)),
    recording("torch/004_sa_c24_g2", SA(24, 2)),
    recording("torch/004_sa_c512_g64", SA(512)),
    # One pixel: PyTorch's own float32 is 1.7e-5 off its float64 here.
    recording("torch/004_sa_c64_g32_1x1", SA(64, 32), dtypes=("float64",)),
    recording("official/wofmanaf_sa_c64_g8", SA(64, 8)),
]

EXPRESSIBLE = {
    "sa_net.sa_layer": [(SA(256), {}), (SA(24, 2), {"groups": 2})],
    "seeds.sa_layer": [(SA(256), {}), (SA(24, 2), {"groups": 2})],
}

REFUSED = {
    "ShuffleAttention(24, groups=8)": (
        "ShuffleAttention(channels=24, groups=8): 2 * groups must divide the channels, as groups=6 would."
    ),
    "ShuffleAttention(24, groups=0)": (
        "ShuffleAttention(channels=24, groups=0): 2 * groups must divide the channels, as groups=1 would."
    ),
    "ShuffleAttention(9)": (
        "ShuffleAttention(channels=9, groups=4): the channels must be even, for groups have two halves."
    ),
}

RESOLVED = {
    "ShuffleAttention(256)": {"groups": 64},
    "ShuffleAttention(64)": {"groups": 32},
    "ShuffleAttention(48)": {"groups": 8},
}


def naive(block: core.ShuffleAttention, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One channel after the other, each written where the shuffle takes it."""
    half, y = block.channels // (2 * block.groups), np.empty_like(x)
    for n, c in np.ndindex(x.shape[:2]):
        own = x[n, c]
        side, i = c // half % 2, c % half
        mean = math.fsum(own.flat) / own.size
        if side == 0:
            gate = w["channel.weight"][i] * mean + w["channel.bias"][i]
        else:
            variance = math.fsum(((own - mean) ** 2).flat) / own.size
            normal = (own - mean) / math.sqrt(variance + 1e-5) * w["norm.weight"][i] + w["norm.bias"][i]
            gate = w["spatial.weight"][i] * normal + w["spatial.bias"][i]
        place = 2 * c if c < block.channels // 2 else 2 * (c - block.channels // 2) + 1
        y[n, place] = own / (1 + np.exp(-gate))
    return y
