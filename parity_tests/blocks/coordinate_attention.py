"""Coordinate attention: cases, recordings, and the paper's equations 4 to 9."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording
from loops import batch_norm

import attn_core as core

BLOCK = CA = core.CoordinateAttention

CASES = {
    "coord": Case(CA(4, hidden=3), (2, 4, 3, 2)),
    "coord_train": Case(CA(4, hidden=2, momentum=0.3), (3, 4, 3, 4), train=True, still=("reduce.bias",)),
    "coord_plain": Case(CA(3, hidden=2, bias=False, norm=False), (2, 3, 2, 4)),
    "coord_sum": Case(CA(3, hidden=2, activation="silu", norm=False, joined="sum"), (2, 3, 4, 3)),
    "coord_line": Case(CA(3, rank=1), (2, 3, 5)),
    "coord_volume": Case(CA(3, hidden=2, rank=3, activation="gelu"), (2, 3, 2, 3, 2)),
    "coord_one_pixel": Case(CA(3, hidden=2, activation="silu"), (3, 3, 1, 1), seed=2),
}

RECORDINGS = [
    Recording("official/houqb_coord", CA(32), "houqb.CoordAtt", modes=("eval", "train")),
    Recording("official/timm_coord", CA(32, bias=False), "timm.CoordAttn", modes=("eval", "train")),
    Recording(
        "official/timm_simple_coord", CA(32, norm=False, activation="silu", joined="sum"), "timm.SimpleCoordAttn"
    ),
]

EXPRESSIBLE = {
    "houqb.CoordAtt": [(CA(32), {}), (CA(5, hidden=2), {})],
    "timm.CoordAttn": [(CA(32, bias=False), {}), (CA(5, hidden=2, bias=False), {})],
    "timm.SimpleCoordAttn": [(CA(6, hidden=3, norm=False, activation="silu", joined="sum"), {})],
}

REFUSED = {
    "CoordinateAttention(0)": ("CoordinateAttention(channels=0, reduction=None): channels must be at least 1."),
    "CoordinateAttention(8, hidden=0)": (
        "CoordinateAttention(channels=8, hidden=0) leaves no hidden unit: hidden must be at least 1."
    ),
    "CoordinateAttention(8, rank=4)": (
        "CoordinateAttention(channels=8, reduction=8, rank=4): rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "CoordinateAttention(8, joined='maximum')": (
        "CoordinateAttention(channels=8, reduction=8, joined='maximum'): "
        "joined must be one of product, sum; got 'maximum'."
    ),
    "CoordinateAttention(8, activation='elu')": (
        "CoordinateAttention(channels=8, reduction=8, activation='elu'): "
        "activation must be one of relu, silu, gelu, hard_swish, leaky_relu; got 'elu'."
    ),
    "CoordinateAttention(8, momentum=2)": (
        "CoordinateAttention(channels=8, reduction=8, momentum=2): momentum must lie between 0 and 1, got 2."
    ),
    "CoordinateAttention(8, norm=1)": "CoordinateAttention: norm must be bool, got 1.",
}

RESOLVED = {
    "CoordinateAttention(16)": {"width": 8},
    "CoordinateAttention(512)": {"width": 16},
    "CoordinateAttention(512, hidden=3)": {"width": 3},
}


def naive(block: core.CoordinateAttention, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One number after the other; what is normalised together stands in one line."""
    ends = np.cumsum([0, *x.shape[2:]])
    line = np.empty((*x.shape[:2], ends[-1]))
    for n, c in np.ndindex(x.shape[:2]):
        line[n, c] = [mean(x[n, c].take(i, axis)) for axis in range(block.rank) for i in range(x.shape[axis + 2])]
    hidden = pointwise(w, "reduce", line)
    hidden = batch_norm(hidden, w, "reduce_norm", train) if block.norm else hidden
    hidden = np.vectorize(DELTAS[block.activation])(hidden)
    logits = [pointwise(w, f"expand{axis}", hidden) for axis in range(block.rank)]
    output = np.empty_like(x)
    for n, c, *place in np.ndindex(x.shape):
        each = [logits[axis][n, c, ends[axis] + i] for axis, i in enumerate(place)]
        factors = [sigmoid(sum(each))] if block.joined == "sum" else [sigmoid(v) for v in each]
        output[(n, c, *place)] = x[(n, c, *place)] * math.prod(factors)
    return output


def mean(numbers: np.ndarray) -> float:
    return math.fsum(numbers.ravel()) / numbers.size


def pointwise(w: dict[str, np.ndarray], name: str, line: np.ndarray) -> np.ndarray:
    """Apply a convolution of one pixel to each pixel of a line."""
    weight = w[f"{name}.weight"]
    y = np.empty((len(line), len(weight), line.shape[2]))
    for n, out, i in np.ndindex(y.shape):
        bias = w[f"{name}.bias"][out] if f"{name}.bias" in w else 0.0
        y[n, out, i] = bias + math.fsum(a * b for a, b in zip(weight[out].ravel(), line[n, :, i], strict=True))
    return y


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


DELTAS = {
    "hard_swish": lambda v: v * min(max(v + 3, 0.0), 6.0) / 6,
    "silu": lambda v: v * sigmoid(v),
    "gelu": lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2,
}
