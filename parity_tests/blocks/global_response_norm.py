"""Global response normalisation: cases, recordings, and the paper's algorithm 1."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = GRN = core.GlobalResponseNorm

CASES = {
    "grn": Case(GRN(4), (2, 4, 3, 2)),
    "grn_line": Case(GRN(3, eps=0.5), (2, 3, 5)),
    "grn_volume": Case(GRN(3), (2, 3, 2, 3, 1)),
    "grn_one_pixel": Case(GRN(3), (3, 3, 1, 1)),
    "grn_one_channel": Case(GRN(1, eps=1), (2, 1, 3, 2)),
    "grn_dead_channel": Case(GRN(4), (3, 4, 3, 2), ties=True, alive=0.75),  # one is dead in every sample
}

RECORDINGS = [
    Recording("official/convnextv2_grn", GRN(16), "convnextv2.GRN"),
    Recording("official/timm_grn", GRN(32), "timm.GlobalResponseNorm"),
]

EXPRESSIBLE = {
    "convnextv2.GRN": [(GRN(16), {}), (GRN(3), {})],
    "timm.GlobalResponseNorm": [(GRN(32), {}), (GRN(3, eps=1e-5), {"eps": 1e-5})],
}

REFUSED = {
    "GlobalResponseNorm(0)": "GlobalResponseNorm(channels=0): channels must be at least 1.",
    "GlobalResponseNorm(8, eps=0)": "GlobalResponseNorm(channels=8, eps=0): eps must be above 0.",
    "GlobalResponseNorm(8, eps='small')": "GlobalResponseNorm: eps must be float or int, got 'small'.",
}


def naive(block: core.GlobalResponseNorm, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        lengths = [math.sqrt(math.fsum(v * v for v in x[n, c].ravel())) for c in range(block.channels)]
        mean = math.fsum(lengths) / block.channels
        for c in range(block.channels):
            share = lengths[c] / (mean + block.eps)
            for place in np.ndindex(x.shape[2:]):
                v = x[(n, c, *place)]
                output[(n, c, *place)] = w["affine.weight"][c] * (v * share) + w["affine.bias"][c] + v
    return output
