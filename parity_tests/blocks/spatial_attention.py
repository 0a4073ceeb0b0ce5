"""The spatial half of CBAM: cases, recordings, and equation 3 of the paper."""

from __future__ import annotations

import itertools
import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = SAM = core.SpatialAttention

CASES = {
    "sam": Case(SAM(3), (2, 4, 4, 5)),
    "sam_seven": Case(SAM(), (2, 3, 7, 8)),
    "sam_bias": Case(SAM(3, bias=True), (2, 4, 5, 3)),
    "sam_ties": Case(SAM(3), (2, 4, 4, 5), ties=True),
    "sam_line": Case(SAM(5, rank=1), (2, 4, 6)),
    "sam_volume": Case(SAM(3, rank=3), (2, 4, 3, 4, 3)),
    "sam_norm": Case(SAM(3, norm=True), (2, 4, 4, 5)),
    "sam_norm_train": Case(SAM(3, norm=True, momentum=0.3), (2, 4, 4, 5), train=True),
    "sam_one_pixel": Case(SAM(1, bias=True), (3, 4, 1, 1)),
    "sam_one_wide": Case(SAM(1), (2, 4, 5, 1)),
}

RECORDINGS = [
    Recording("torch/001_spatial_attention_k7", SAM(7), "seeds.SpatialAttention", gate="spatial"),
    Recording("torch/001_spatial_attention_k7_tiny", SAM(7), "seeds.SpatialAttention", gate="spatial"),
    Recording("torch/001_spatial_attention_k3", SAM(3), "seeds.SpatialAttention", gate="spatial"),
    Recording("torch/001_spatial_attention_ties", SAM(7), "seeds.SpatialAttention", gate="spatial"),
    Recording("official/jongchan_spatial_gate", SAM(norm=True), "jongchan.SpatialGate", modes=("eval", "train")),
]

EXPRESSIBLE = {
    "jongchan.SpatialGate": [(SAM(norm=True), {}), (SAM(3, norm=True, momentum=0.1), {"momentum": 0.1})],
    "seeds.SpatialAttention": [(SAM(), {}), (SAM(3), {})],
}

REFUSED = {
    "SpatialAttention(kernel=4)": "SpatialAttention(kernel=4): kernel must be odd, so that it has a centre.",
    "SpatialAttention(rank=4)": (
        "SpatialAttention(kernel=7, rank=4): rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "SpatialAttention(momentum=2)": "SpatialAttention(kernel=7): momentum must lie between 0 and 1, got 2.",
}


def naive(block: core.SpatialAttention, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One pixel after the other."""
    space, half = x.shape[2:], block.kernel // 2
    logits = np.empty((len(x), *space))
    for n, *at in np.ndindex(len(x), *space):
        total = w["conv.bias"][0] if block.bias else 0.0
        for step in itertools.product(range(block.kernel), repeat=block.rank):
            near = tuple(i + s - half for i, s in zip(at, step, strict=True))
            if all(0 <= i < size for i, size in zip(near, space, strict=True)):
                pixel = x[(n, slice(None), *near)]
                total += w["conv.weight"][(0, 0, *step)] * math.fsum(pixel) / len(pixel)
                total += w["conv.weight"][(0, 1, *step)] * max(pixel)
        logits[(n, *at)] = total
    if block.norm:
        mean = logits.mean() if train else w["norm.running_mean"][0]
        variance = ((logits - mean) ** 2).mean() if train else w["norm.running_var"][0]
        logits = (logits - mean) / math.sqrt(variance + 1e-5) * w["norm.weight"][0] + w["norm.bias"][0]
    return x / (1 + np.exp(-logits))[:, None]
