"""Point-wise spatial attention: cases, and the equations of the paper's section 3 over pairs of pixels."""

from __future__ import annotations

import math

import numpy as np
from cases import Case
from loops import batch_norm, conv_norm, relu

import attn_core as core

BLOCK = PSA = core.PointwiseSpatialAttention

CASES = {
    "psa": Case(PSA(4, (2, 3), hidden=2), (6, 4, 2, 3), 49),
    "psa_train": Case(PSA(4, (2, 3), hidden=3, momentum=0.3), (6, 4, 2, 3), 465, train=True),
    "psa_collect": Case(PSA(8, 3, mode="collect"), (2, 8, 3, 3), 467),
    "psa_collect_softmax": Case(PSA(4, (3, 2), hidden=2, mode="collect", softmax=True), (4, 4, 3, 2), 297),
    "psa_distribute": Case(PSA(8, 3, mode="distribute"), (2, 8, 3, 3), 467),
    "psa_distribute_softmax": Case(PSA(4, (3, 2), hidden=2, mode="distribute", softmax=True), (4, 4, 3, 2), 297),
    "psa_line": Case(PSA(4, 4, hidden=2, rank=1), (5, 4, 4), 369),
    "psa_volume": Case(PSA(3, (2, 1, 3), hidden=2, rank=3), (6, 3, 2, 1, 3), 183),
    "psa_one_pixel": Case(PSA(4, 1, hidden=2), (8, 4, 1, 1), 271),
    "psa_one_wide": Case(PSA(4, (4, 1), hidden=2), (5, 4, 4, 1), 362),
}
RECORDINGS = []  # PSANet's operators are a native extension; nobody's run of them was recorded

REFUSED = {
    "PointwiseSpatialAttention(8, size=(3,))": (
        "PointwiseSpatialAttention(channels=8, size=(3,)): "
        "size must be a number of pixels, at least 1, or one for each of 2 axes."
    ),
    "PointwiseSpatialAttention(8, size=3, mode='gather')": (
        "PointwiseSpatialAttention(channels=8, size=3, mode='gather'): "
        "mode must be one of both, collect, distribute; got 'gather'."
    ),
}


def gathered(block: core.PointwiseSpatialAttention, maps: np.ndarray, x: np.ndarray, direction: str) -> np.ndarray:
    """Sum over all pairs of pixels, with (batch, *ways, *space) for the over-completed map."""
    space = x.shape[2:]
    z = np.zeros(x.shape)
    for i in np.ndindex(*space):
        attentions = {}
        for j in np.ndindex(*space):
            at, start, end = (i, i, j) if direction == "collect" else (j, j, i)
            way = tuple(n - 1 + b - a for n, a, b in zip(space, start, end, strict=True))
            attentions[j] = maps[(slice(None), *way, *at)]
        if block.softmax:
            total = sum(np.exp(a) for a in attentions.values())
            weights = {j: np.exp(a) / total for j, a in attentions.items()}
        else:
            weights = {j: a / math.prod(space) for j, a in attentions.items()}
        for j, weight in weights.items():
            z[(..., *i)] += weight[:, None] * x[(..., *j)]
    return z


def naive(
    block: core.PointwiseSpatialAttention, w: dict[str, np.ndarray], image: np.ndarray, train: bool = False
) -> np.ndarray:
    """One branch after the other."""
    pieces = []
    for direction in ("collect", "distribute"):
        if block.mode in (direction, "both"):
            x = relu(conv_norm(image, w, f"{direction}.reduce", train))
            adapted = relu(conv_norm(x, w, f"{direction}.adapt", train))
            weight = w[f"{direction}.attend.weight"]
            maps = np.einsum("oc,bc...->bo...", weight.reshape(len(weight), -1), adapted)
            ways = [2 * n - 1 for n in image.shape[2:]]
            maps = maps.reshape(len(image), *ways, *image.shape[2:])
            pieces.append(gathered(block, maps, x, direction))
    z = np.concatenate(pieces, 1)
    fused = np.einsum("oc,bc...->bo...", w["fuse.weight"].reshape(block.channels, -1), z)
    return np.concatenate([image, relu(batch_norm(fused, w, "norm", train))], 1)
