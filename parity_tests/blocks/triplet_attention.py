"""Triplet attention: cases, recordings, and the paper's section 3.3 in loops."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv

import attn_core as core

BLOCK = TRIPLET = core.TripletAttention

CASES = {
    "triplet": Case(TRIPLET(4, 3), (2, 4, 3, 5), seed=2),
    "triplet_train": Case(TRIPLET(4, 3, momentum=0.3), (3, 4, 3, 4), seed=6, train=True),
    "triplet_two": Case(TRIPLET(4, 3, spatial=False), (2, 4, 3, 4), seed=1),
    "triplet_line": Case(TRIPLET(4, 3, rank=1), (2, 4, 5), seed=1),
    "triplet_volume": Case(TRIPLET(3, 3, rank=3), (2, 3, 3, 4, 3)),
    "triplet_ties": Case(TRIPLET(4, 3), (2, 4, 4, 3), seed=10, ties=True),
    "triplet_one_pixel": Case(TRIPLET(3, 1), (3, 3, 1, 1), seed=3),
}

CHANNELS = {"channels": 16}
RECORDINGS = [
    Recording(
        "official/triplet_official", TRIPLET(16), "landskape.TripletAttention", CHANNELS, modes=("eval", "train")
    ),
    Recording("official/xmu_triplet", TRIPLET(16), "xmu.TripletAttention", CHANNELS, modes=("eval", "train")),
]

EXPRESSIBLE = {
    "landskape.TripletAttention": [(TRIPLET(64), {}), (TRIPLET(16, 3, spatial=False), CHANNELS)],
    "xmu.TripletAttention": [(TRIPLET(64), {})],
}

REFUSED = {
    "TripletAttention(0)": "TripletAttention(channels=0, kernel=7): channels must be at least 1.",
    "TripletAttention(8, 4)": "TripletAttention(channels=8, kernel=4): kernel must be odd, so that it has a centre.",
    "TripletAttention(8, rank=4)": (
        "TripletAttention(channels=8, kernel=7, rank=4): rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "TripletAttention(8, momentum=-1)": (
        "TripletAttention(channels=8, kernel=7, momentum=-1): momentum must lie between 0 and 1, got -1."
    ),
    "TripletAttention(8, spatial=1)": "TripletAttention: spatial must be bool, got 1.",
}


def naive(block: core.TripletAttention, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One gate after the other, each computed of an image turned so that what it pools over is the channels."""
    total = np.zeros_like(x)
    branches = {f"axis{axis}": axis + 2 for axis in range(block.rank)} | ({"pixels": 1} if block.spatial else {})
    for name, axis in branches.items():
        logits = batch_norm(conv(planes(np.swapaxes(x, 1, axis)), w[f"{name}.weight"]), w, f"{name}_norm", train)
        total += np.swapaxes(1 / (1 + np.exp(-logits)), 1, axis) * x
    return total / len(branches)


def planes(x: np.ndarray) -> np.ndarray:
    """Return mean and maximum of each pixel."""
    y = np.empty((len(x), 2, *x.shape[2:]))
    for n, *place in np.ndindex(len(x), *x.shape[2:]):
        pixel = x[(n, slice(None), *place)]
        y[(n, slice(None), *place)] = math.fsum(pixel) / len(pixel), max(pixel)
    return y
