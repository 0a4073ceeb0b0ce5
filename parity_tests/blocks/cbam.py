"""CBAM: cases, recordings, and equation 1 of the paper."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording

import attn_core as core
from blocks import channel_attention, spatial_attention

BLOCK = CBAM = core.CBAM

CASES = {
    "cbam": Case(CBAM(8, 2, 3), (2, 8, 3, 4), seed=3),
    "cbam_line": Case(CBAM(8, 2, 3, rank=1), (2, 8, 5), seed=1),
    "cbam_volume": Case(CBAM(4, 1, 3, rank=3), (2, 4, 2, 3, 2), seed=1),
    "cbam_official": Case(CBAM(8, 2, 3, bias=True, norm=True), (2, 8, 4, 3), seed=13),
    "cbam_official_train": Case(CBAM(8, 2, 3, bias=True, norm=True), (2, 8, 4, 3), seed=13, train=True),
    "cbam_ties": Case(CBAM(8, 2, 3), (2, 8, 4, 5), seed=11, ties=True, alive=0.8),
    "cbam_ties_volume": Case(CBAM(4, 1, 3, rank=3), (2, 4, 3, 2, 3), seed=4, ties=True, alive=0.7),
    "cbam_mean": Case(CBAM(6, hidden=4, kernel=1, pools="mean", spatial_bias=True), (2, 6, 3, 1), seed=3),
}

BOTH = ("eval", "train")
RECORDINGS = [
    Recording("torch/001_cbam_c32_k7", CBAM(32), "seeds.CBAM"),
    Recording("torch/001_cbam_c24_r8_k3", CBAM(24, kernel=3, hidden=3), "seeds.CBAM"),
    Recording("torch/001_cbam_ties", CBAM(32, hidden=4), "seeds.CBAM"),
    Recording("torch/001_cbam_1x1", CBAM(32, hidden=4), "seeds.CBAM"),
    Recording("official/timm_cbam", CBAM(64, norm=True, momentum=0.1), "timm.CbamModule", modes=BOTH),
    Recording("official/jongchan_cbam", CBAM(64, bias=True, norm=True), "jongchan.CBAM", modes=BOTH),
]

EXPRESSIBLE = {
    "jongchan.CBAM": [(CBAM(32, bias=True, norm=True), {}), (CBAM(8, hidden=8, kernel=3, bias=True, norm=True), {})],
    "kobiso.cbam_block": [(CBAM(32, bias=True, spatial_bias=True), {}), (CBAM(8, hidden=8, bias=True), {})],
    "seeds.CBAM": [(CBAM(32), {}), (CBAM(8, hidden=8, kernel=3), {})],
    "tf1.cbam_block": [(CBAM(32), {})],
    "timm.CbamModule": [
        (CBAM(32, norm=True, momentum=0.1), {}),
        (CBAM(8, hidden=2, kernel=3, bias=True, norm=True), {"momentum": 0.01}),
    ],
}

REFUSED = {
    "CBAM(8, 16)": (
        "ChannelAttention(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    ),
    "CBAM(32, kernel=2)": "SpatialAttention(kernel=2): kernel must be odd, so that it has a centre.",
}

RESOLVED = {
    "CBAM(8)": {"reduction": 8},
    "CBAM(64)": {"reduction": 16},
}


def naive(block: core.CBAM, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One half after the other, each as its own file states it."""
    halves = block.parts()
    own = {half: {k.removeprefix(f"{half}."): a for k, a in w.items() if k.startswith(half)} for half in halves}
    refined = channel_attention.naive(halves["channel"], own["channel"], x)
    return spatial_attention.naive(halves["spatial"], own["spatial"], refined, train)
