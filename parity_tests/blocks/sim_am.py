"""SimAM: cases, recordings, and the paper's equations 5 and 6."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = SIM_AM = core.SimAM

CASES = {
    "simam": Case(SIM_AM(4), (2, 4, 3, 2)),
    "simam_line": Case(SIM_AM(3, eps=0.5), (2, 3, 5)),
    "simam_volume": Case(SIM_AM(3), (2, 3, 2, 3, 1)),
    "simam_one_pixel": Case(SIM_AM(3), (3, 3, 1, 1)),
    "simam_dead_channel": Case(SIM_AM(4), (3, 4, 3, 2), ties=True),
}

# Their classes have no weights, and so no dialect.
RECORDINGS = [
    Recording("official/simam_official", SIM_AM(16), None),
    Recording("official/xmu_simam", SIM_AM(16), None),
]

REFUSED = {
    "SimAM(0)": "SimAM(channels=0): channels must be at least 1.",
    "SimAM(8, eps=0)": "SimAM(channels=8, eps=0): eps must be above 0.",
    "SimAM(8, eps='small')": "SimAM: eps must be float or int, got 'small'.",
}


def naive(block: core.SimAM, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    output = np.empty_like(x)
    for n, c in np.ndindex(x.shape[:2]):
        pixels = x[n, c].ravel()
        mean = math.fsum(pixels) / len(pixels)
        squares = math.fsum((v - mean) ** 2 for v in pixels)
        variance = squares / (len(pixels) - 1) if len(pixels) > 1 else 0.0
        for place in np.ndindex(x.shape[2:]):
            v = x[(n, c, *place)]
            importance = (v - mean) ** 2 / (4 * (variance + block.eps)) + 0.5
            output[(n, c, *place)] = v / (1 + math.exp(-importance))
    return output
