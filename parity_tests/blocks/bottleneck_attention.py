"""BAM: cases, recordings, and the paper's equations 1 to 4 as the authors' code has them."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv

import attn_core as core

BLOCK = BAM = core.BottleneckAttention

STILL = ("reduce.bias", "squeeze.bias", "dilated0.bias")  # before a norm, in training
CASES = {
    "bam": Case(BAM(4, 2, dilation=2), (4, 4, 4, 5), seed=2),
    "bam_train": Case(BAM(4, 2, dilation=1, depth=1, momentum=0.3), (4, 4, 3, 3), seed=1, train=True, still=STILL),
    "bam_sum": Case(BAM(4, 2, bias=False, dilation=1, joined="sum"), (3, 4, 4, 3), seed=2),
    "bam_line": Case(BAM(4, 2, rank=1, dilation=3), (2, 4, 8), seed=11),
    "bam_volume": Case(BAM(3, hidden=2, rank=3, dilation=1, depth=1), (4, 3, 3, 3, 2), seed=3),
}

RECORDINGS = [Recording("official/jongchan_bam", BAM(64), "jongchan.BAM", modes=("eval", "train"))]

EXPRESSIBLE = {
    "jongchan.BAM": [(BAM(64), {}), (BAM(8, hidden=3, depth=1, dilation=2), {"dilation": 2})],
}

REFUSED = {
    "BottleneckAttention(8, 16)": (
        "BottleneckAttention(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    ),
    "BottleneckAttention(16, dilation=0)": (
        "BottleneckAttention(channels=16, reduction=16, dilation=0): dilation must be at least 1."
    ),
    "BottleneckAttention(16, depth=0)": (
        "BottleneckAttention(channels=16, reduction=16, depth=0): depth must be at least 1."
    ),
    "BottleneckAttention(16, rank=4)": (
        "BottleneckAttention(channels=16, reduction=16, rank=4): rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "BottleneckAttention(16, joined='mean')": (
        "BottleneckAttention(channels=16, reduction=16, joined='mean'): joined must be one of product, sum; got 'mean'."
    ),
}


def naive(block: core.BottleneckAttention, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One layer after the other; the vector of channels is an image of one pixel."""
    one = (1,) * block.rank
    means = x.reshape(*x.shape[:2], -1).mean(-1).reshape(*x.shape[:2], *one)
    channel = rectified(layer(w, "reduce", means), w, "reduce", train)
    channel = layer(w, "expand", channel)
    image = rectified(layer(w, "squeeze", x), w, "squeeze", train)
    for i in range(block.depth):
        image = rectified(layer(w, f"dilated{i}", image, block.dilation), w, f"dilated{i}", train)
    image = layer(w, "map", image)
    logits = channel * image if block.joined == "product" else channel + image
    return x + x / (1 + np.exp(-logits))


def rectified(x: np.ndarray, w: dict[str, np.ndarray], name: str, train: bool) -> np.ndarray:
    return np.maximum(batch_norm(x, w, f"{name}_norm", train), 0)


def layer(w: dict[str, np.ndarray], name: str, x: np.ndarray, dilation: int = 1) -> np.ndarray:
    """Convolve; a kernel with a dilation is one with zeros between its numbers."""
    weight = w[f"{name}.weight"]
    weight = weight.reshape(*weight.shape[:2], *(weight.shape[2:] or (1,) * (x.ndim - 2)))
    spread = np.zeros((*weight.shape[:2], *(dilation * (k - 1) + 1 for k in weight.shape[2:])))
    spread[(..., *[slice(None, None, dilation)] * (x.ndim - 2))] = weight
    y = conv(x, spread)
    return y + w[f"{name}.bias"].reshape(-1, *(1,) * (x.ndim - 2)) if f"{name}.bias" in w else y
