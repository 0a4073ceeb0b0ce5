"""scSE: cases, recordings, and the paper's equations."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = SCSE = core.ConcurrentSqueezeExcitation

CASES = {
    "scse": Case(SCSE(6), (2, 6, 3, 2)),
    "scse_sum": Case(SCSE(6, 3, joined="sum"), (2, 6, 3, 2)),
    "scse_line": Case(SCSE(4, rank=1, hidden=3, bias=False, activation="silu"), (3, 4, 5)),
    "scse_volume": Case(SCSE(4, rank=3, gate="hard_sigmoid"), (2, 4, 2, 3, 1)),
    "scse_one_pixel": Case(SCSE(4), (6, 4, 1, 1), seed=1),
    # Zeros: both scaled images are equal there.
    "scse_relu": Case(SCSE(6, activation="silu"), (4, 6, 4, 3), seed=7, ties=True, alive=0.8),
}

RECORDINGS = [
    Recording("official/aimed_scse", SCSE(16), "aimed.ChannelSpatialSELayer"),
    Recording("official/smp_scse", SCSE(32, hidden=2, joined="sum"), "smp.SCSEModule"),
]

EXPRESSIBLE = {
    "aimed.ChannelSpatialSELayer": [(SCSE(16), {}), (SCSE(7, hidden=5, rank=3), {})],
    "smp.SCSEModule": [(SCSE(32, hidden=2, joined="sum"), {}), (SCSE(6, joined="sum"), {})],
}

REFUSED = {
    "ConcurrentSqueezeExcitation(1, 2)": (
        "ConcurrentSqueezeExcitation(channels=1, reduction=2) leaves no hidden unit: "
        "reduction must lie between 1 and 1."
    ),
    "ConcurrentSqueezeExcitation(8, rank=4)": (
        "ConcurrentSqueezeExcitation(channels=8, reduction=None, rank=4): "
        "rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "ConcurrentSqueezeExcitation(8, joined='mean')": (
        "ConcurrentSqueezeExcitation(channels=8, reduction=2, joined='mean'): "
        "joined must be one of maximum, sum; got 'mean'."
    ),
    "ConcurrentSqueezeExcitation(8, joined=1)": "ConcurrentSqueezeExcitation: joined must be str, got 1.",
}


def naive(block: core.ConcurrentSqueezeExcitation, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        z = [math.fsum(x[n, c].ravel()) / x[n, c].size for c in range(block.channels)]
        u = [delta(block, row(w, "reduce", k, z)) for k in range(block.width)]
        channel = [sigma(block, row(w, "expand", c, u)) for c in range(block.channels)]
        for place in np.ndindex(x.shape[2:]):
            pixel = [x[(n, c, *place)] for c in range(block.channels)]
            spatial = 1 / (1 + math.exp(-row(w, "conv", 0, pixel)))
            for c, v in enumerate(pixel):
                both = channel[c] * v, spatial * v
                output[(n, c, *place)] = max(both) if block.joined == "maximum" else sum(both)
    return output


def row(w: dict[str, np.ndarray], layer: str, out: int, numbers: list[float]) -> float:
    bias = w[f"{layer}.bias"][out] if f"{layer}.bias" in w else 0.0
    return bias + math.fsum(a * b for a, b in zip(w[f"{layer}.weight"][out].ravel(), numbers, strict=True))


def delta(block: core.ConcurrentSqueezeExcitation, v: float) -> float:
    return v / (1 + math.exp(-v)) if block.activation == "silu" else max(v, 0.0)


def sigma(block: core.ConcurrentSqueezeExcitation, v: float) -> float:
    return min(max(v + 3, 0.0), 6.0) / 6 if block.gate == "hard_sigmoid" else 1 / (1 + math.exp(-v))
