"""The spatial transformer: cases, and section 3 of the paper. Nobody recorded this localisation network."""

from __future__ import annotations

import itertools
import math

import numpy as np
from cases import Case

import attn_core as core
from blocks import affine_sampler

BLOCK = ST = core.SpatialTransformer

SMALL = {"features": 2, "kernel": 3, "pooled": 2, "hidden": 3}

CASES = {
    "st": Case(ST(2, **SMALL), (3, 2, 4, 5), seed=237),
    "st_sized": Case(ST(2, (3, 4), **SMALL, align_corners=True), (3, 2, 5, 3), seed=323),
    "st_border": Case(ST(3, (None, 2), **SMALL, padding="border"), (2, 3, 5, 4), seed=354),
    "st_line": Case(ST(3, features=3, kernel=3, pooled=3, hidden=4, rank=1), (3, 3, 7), seed=141),
    "st_volume": Case(ST(2, 2, **SMALL | {"kernel": 1, "pooled": 1}, rank=3), (3, 2, 3, 2, 3), seed=102),
    "st_one_pixel": Case(ST(3, 3, **SMALL | {"kernel": 1}), (3, 3, 1, 1), seed=270),
    "st_one_wide": Case(ST(2, (3, 4), **SMALL | {"kernel": 1, "pooled": 1}), (3, 2, 5, 1), seed=7),
}

RECORDINGS = []

REFUSED = {
    "SpatialTransformer(3, kernel=4)": (
        "SpatialTransformer(channels=3, size=None, kernel=4): kernel must be odd, so that it has a centre."
    ),
    "SpatialTransformer(3, hidden=0)": (
        "SpatialTransformer(channels=3, size=None, hidden=0): hidden must be at least 1."
    ),
}


def naive(block: core.SpatialTransformer, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One bin after the other; the samples are those of `AffineSampler`, as its own file states them."""
    theta = np.stack([localised(block, w, sample) for sample in x])
    return affine_sampler.naive(block.parts()["sampler"], {}, x, theta)


def localised(block: core.SpatialTransformer, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Compute the matrix of one sample."""
    features = convolved(block, w, x)
    bins = []
    for feature, *at in np.ndindex(block.features, *(block.pooled,) * block.rank):
        edges = [(i * n / block.pooled, (i + 1) * n / block.pooled) for i, n in zip(at, x.shape[1:], strict=True)]
        inside = features[(feature, *(slice(math.floor(a), math.ceil(b)) for a, b in edges))]
        bins.append(math.fsum(inside.flat) / inside.size)
    hidden = np.maximum(w["reduce.weight"] @ bins + w["reduce.bias"], 0)
    numbers = w["regress.weight"] @ hidden + w["regress.bias"]
    return np.array([numbers[row * (block.rank + 1) :][: block.rank + 1] for row in range(block.rank)])


def convolved(block: core.SpatialTransformer, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Compute the convolution's relu, pixel by pixel."""
    y, half = np.empty((block.features, *x.shape[1:])), block.kernel // 2
    for out, *at in np.ndindex(y.shape):
        total = w["conv.bias"][out]
        for step in itertools.product(range(block.kernel), repeat=block.rank):
            near = [i + s - half for i, s in zip(at, step, strict=True)]
            if all(0 <= i < n for i, n in zip(near, x.shape[1:], strict=True)):
                total += w["conv.weight"][(out, slice(None), *step)] @ x[(slice(None), *near)]
        y[(out, *at)] = max(total, 0.0)
    return y
