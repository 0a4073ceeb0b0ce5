"""The sampler of spatial transformers: cases, and equations 1 and 5 of the paper.

The recordings have keys of their own: see `test_sampler.py`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from cases import Case

import attn_core as core

BLOCK = STN = core.AffineSampler


def thetas(samples: int, rank: int = 2, seed: int = 0) -> tuple[np.ndarray]:
    """Matrices near the identity."""
    return (np.eye(rank, rank + 1) + np.random.default_rng([seed, 3]).normal(0, 0.3, (samples, rank, rank + 1)),)


CASES = {
    "stn": Case(STN((4, 3)), (2, 2, 5, 4), more=thetas(2)),
    "stn_own_size": Case(STN(align_corners=True), (2, 2, 5, 4), more=thetas(2)),
    "stn_own_width": Case(STN((3, None), padding="border"), (2, 2, 4, 5), more=thetas(2)),
    "stn_border_aligned": Case(STN(4, align_corners=True, padding="border"), (2, 2, 3, 5), more=thetas(2)),
    "stn_line": Case(STN(5, rank=1), (3, 2, 6), more=thetas(3, 1)),
    "stn_volume": Case(STN((3, None, 2), rank=3, align_corners=True), (2, 2, 2, 4, 3), more=thetas(2, 3)),
    "stn_one_pixel": Case(STN(3), (2, 3, 1, 1), more=thetas(2)),
    "stn_one_wide": Case(STN((3, 4)), (2, 2, 5, 1), more=thetas(2)),
}

RECORDINGS = []
OTHERS = {"torch/stn_odd", "torch/stn_even", "torch/stn_mixed", "torch/stn_one_pixel_wide"}

REFUSED = {
    "AffineSampler(size=(3, 3, 3))": (
        "AffineSampler(size=(3, 3, 3)): size must hold a positive number, or None, for each of the 2 spatial axes."
    ),
    "AffineSampler(size=0)": (
        "AffineSampler(size=0): size must hold a positive number, or None, for each of the 2 spatial axes."
    ),
    "AffineSampler(padding='mirror')": (
        "AffineSampler(size=None, padding='mirror'): padding must be one of zeros, border; got 'mirror'."
    ),
}


def naive(block: core.AffineSampler, w: dict[str, np.ndarray], x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Equation 5 with its sums over all pixels."""
    space = x.shape[2:]
    sizes = [own if size is None else size for size, own in zip(block.sizes, space, strict=True)]
    y = np.zeros((*x.shape[:2], *sizes))
    for n, *at in np.ndindex(len(x), *sizes):
        target = [relative(i, size, block.align_corners) for i, size in zip(at, sizes, strict=True)]
        source = theta[n] @ [*reversed(target), 1.0]
        places = [pixel(s, size, block) for s, size in zip(reversed(source), space, strict=True)]
        for m in itertools.product(*map(range, space)):
            weight = math.prod(max(0.0, 1 - abs(place - i)) for place, i in zip(places, m, strict=True))
            y[(n, slice(None), *at)] += weight * x[(n, slice(None), *m)]
    return y


def relative(pixel: int, size: int, align_corners: bool) -> float:
    """Turn the number of a pixel into its centre's coordinate from -1 to 1."""
    if align_corners:
        return 2 * pixel / (size - 1) - 1 if size > 1 else 0.0
    return (pixel + 0.5) / size * 2 - 1


def pixel(coordinate: float, size: int, block: core.AffineSampler) -> float:
    """Turn a coordinate into the number of a pixel, with a fraction."""
    half = (coordinate + 1) / 2
    place = half * (size - 1) if block.align_corners else half * size - 0.5
    return min(max(place, 0.0), size - 1.0) if block.padding == "border" else place
