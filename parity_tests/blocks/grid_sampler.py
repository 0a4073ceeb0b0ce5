"""The sampler of spatial transformers at given points: cases, and equation 5 of the paper.

The recordings have keys of their own: see `test_sampler.py`.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from cases import Case

import attn_core as core

BLOCK = GRID = core.GridSampler


def points(samples: int, *size: int, seed: int = 0) -> tuple[np.ndarray]:
    """Points inside and outside of an image."""
    return (np.random.default_rng([seed, 3]).uniform(-1.1, 1.1, (samples, *size, len(size))),)


# At the border, points outside of the outermost centres have no derivative.
CASES = {
    "grid": Case(GRID(), (2, 2, 5, 4), more=points(2, 3, 4)),
    "grid_yx": Case(GRID(order="yx", align_corners=True), (2, 2, 5, 4), more=points(2, 4, 3)),
    "grid_border": Case(GRID(padding="border"), (2, 2, 4, 5), more=points(2, 3, 3), alive=0.7),
    "grid_yx_border": Case(GRID(order="yx", padding="border"), (2, 2, 3, 5), more=points(2, 2, 3), alive=0.7),
    "grid_line": Case(GRID(rank=1, order="yx"), (3, 2, 6), more=points(3, 5)),
    "grid_volume": Case(GRID(rank=3, align_corners=True), (2, 2, 2, 4, 3), more=points(2, 3, 2, 2)),
    "grid_volume_yx": Case(GRID(rank=3, order="yx"), (2, 2, 2, 4, 3), more=points(2, 2, 3, 2)),
    "grid_one_pixel": Case(GRID(order="yx"), (2, 3, 1, 1), more=points(2, 3, 2)),
    "grid_one_wide": Case(GRID(order="yx"), (2, 2, 5, 1), more=points(2, 3, 2)),
}

RECORDINGS = []

REFUSED = {
    "GridSampler(rank=4)": "GridSampler(rank=4): rank, the number of spatial axes, must be 1, 2 or 3.",
    "GridSampler(order='ij')": "GridSampler(order='ij'): order must be one of xy, yx; got 'ij'.",
    "GridSampler(padding='wrap')": "GridSampler(padding='wrap'): padding must be one of zeros, border; got 'wrap'.",
    "GridSampler(align_corners=1)": "GridSampler: align_corners must be bool, got 1.",
}


def naive(block: core.GridSampler, w: dict[str, np.ndarray], x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Equation 5 with its sums over all pixels."""
    space = x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for n, *at in np.ndindex(grid.shape[:-1]):
        point = grid[(n, *at)] if block.order == "yx" else grid[(n, *at)][::-1]
        places = [pixel(coordinate, size, block) for coordinate, size in zip(point, space, strict=True)]
        for m in itertools.product(*map(range, space)):
            weight = math.prod(max(0.0, 1 - abs(place - i)) for place, i in zip(places, m, strict=True))
            y[(n, slice(None), *at)] += weight * x[(n, slice(None), *m)]
    return y


def pixel(coordinate: float, size: int, block: core.GridSampler) -> float:
    """Turn a coordinate into the number of a pixel, with a fraction."""
    half = (coordinate + 1) / 2
    place = half * (size - 1) if block.align_corners else half * size - 0.5
    return min(max(place, 0.0), size - 1.0) if block.padding == "border" else place
