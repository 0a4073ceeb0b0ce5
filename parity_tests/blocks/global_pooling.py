"""Global pooling: cases, and its definition; `spatial_pool` of the CBAM article is "both", which nobody recorded."""

from __future__ import annotations

import math

import numpy as np
from cases import Case

import attn_core as core

BLOCK = POOL = core.GlobalPooling

CASES = {
    "pool": Case(POOL(), (2, 4, 3, 5)),
    "pool_mean": Case(POOL("mean"), (2, 4, 2, 3), seed=1),
    "pool_max": Case(POOL("max"), (2, 4, 3, 4)),
    "pool_ties": Case(POOL(), (2, 4, 4, 5), ties=True),
    "pool_line": Case(POOL(), (2, 3, 7)),
    "pool_volume": Case(POOL(), (2, 3, 3, 2, 3)),
    "pool_one_pixel": Case(POOL(), (2, 4, 1, 1)),
    "pool_one_wide": Case(POOL(), (2, 4, 5, 1)),
}

RECORDINGS = []

REFUSED = {
    "GlobalPooling(pools='sum')": "GlobalPooling(pools='sum'): pools must be one of mean, max, both; got 'sum'.",
}


def naive(block: core.GlobalPooling, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One channel after the other: all means, then all maxima."""
    means = [[math.fsum(own.flat) / own.size for own in sample] for sample in x]
    maxima = [[max(own.flat) for own in sample] for sample in x]
    if block.pools == "both":
        return np.array([mean + largest for mean, largest in zip(means, maxima, strict=True)])
    return np.array(means if block.pools == "mean" else maxima)
