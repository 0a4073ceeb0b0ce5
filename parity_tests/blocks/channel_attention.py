"""The channel half of CBAM: cases, recordings, and equations 1 and 2 of the paper."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = CAM = core.ChannelAttention

CASES = {
    "cam": Case(CAM(8, 2), (2, 8, 3, 3), seed=2),
    "cam_line": Case(CAM(8, 2, bias=True), (2, 8, 5), seed=3),
    "cam_volume": Case(CAM(8, 2), (2, 8, 2, 3, 1), seed=12),
    "cam_one_pixel": Case(CAM(8, 4), (3, 8, 1, 1)),
    "cam_ties": Case(CAM(8, 2), (2, 8, 4, 5), seed=11, ties=True, alive=0.8),
    "cam_ties_line": Case(CAM(8, 2, pools="max"), (2, 8, 9), seed=2, ties=True, alive=0.8),
    "cam_mean": Case(CAM(7, hidden=3, pools="mean"), (2, 7, 3, 2), seed=2),
    "cam_max": Case(CAM(7, 3, pools="max", bias=True), (2, 7, 5, 1), seed=3),
}

RECORDINGS = [
    Recording("torch/001_channel_attention_c32_r16", CAM(32), "seeds.ChannelAttention", gate="channel"),
    Recording("torch/001_channel_attention_c24_r5", CAM(24, hidden=4), "seeds.ChannelAttention", gate="channel"),
    Recording("torch/001_channel_attention_ties", CAM(32, hidden=4), "seeds.ChannelAttention", gate="channel"),
    Recording("official/jongchan_channel_gate_avg_max", CAM(32, hidden=4, bias=True), "jongchan.ChannelGate"),
]

EXPRESSIBLE = {
    "jongchan.ChannelGate": [(CAM(32, bias=True), {}), (CAM(8, hidden=3, bias=True, pools="max"), {"pools": "max"})],
    "seeds.ChannelAttention": [(CAM(32), {}), (CAM(8, hidden=8), {})],
}


def naive(block: core.ChannelAttention, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    first, second = w.get("reduce.bias", np.zeros(block.width)), w.get("expand.bias", np.zeros(block.channels))
    output = np.empty_like(x)
    for n in range(x.shape[0]):
        means = [math.fsum(x[n, c].ravel()) / x[n, c].size for c in range(block.channels)]
        largest = [max(x[n, c].ravel()) for c in range(block.channels)]
        seen = {"mean": [means], "max": [largest], "both": [means, largest]}[block.pools]
        for c in range(block.channels):
            total = 0.0
            for z in seen:
                hidden = [max(0.0, w["reduce.weight"][h] @ np.array(z) + first[h]) for h in range(block.width)]
                total += w["expand.weight"][c] @ np.array(hidden) + second[c]
            output[n, c] = x[n, c] / (1 + math.exp(-total))
    return output
