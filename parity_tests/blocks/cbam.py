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
    "cbam_mean": Case(CBAM(6, hidden=4, kernel=1, pools="mean", spatial_bias=True), (2, 6, 3, 1), seed=3),
}

SEED = {"channel.reduce": "ca.fc1", "channel.expand": "ca.fc2", "spatial.conv": "sa.conv1"}
TIMM = {
    "channel.reduce": "channel.fc1",
    "channel.expand": "channel.fc2",
    "spatial.conv": "spatial.conv.conv",
    "spatial.norm": "spatial.conv.bn",
}
JONGCHAN = {
    "channel.reduce": "ChannelGate.mlp.1",
    "channel.expand": "ChannelGate.mlp.3",
    "spatial.conv.weight": ("SpatialGate.spatial.conv.weight", spatial_attention.swapped),
    "spatial.norm": "SpatialGate.spatial.bn",
}
BOTH = ("eval", "train")
RECORDINGS = [
    Recording("torch/001_cbam_c32_k7", CBAM(32), SEED),
    Recording("torch/001_cbam_c24_r8_k3", CBAM(24, 8, 3), SEED),
    Recording("torch/001_cbam_1x1", CBAM(32, 8), SEED),
    Recording("official/timm_cbam", CBAM(64, norm=True, momentum=0.1), TIMM, modes=BOTH),
    Recording("official/jongchan_cbam", CBAM(64, bias=True, norm=True), JONGCHAN, modes=BOTH),
]


def naive(block: core.CBAM, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One half after the other, each as its own file states it."""
    halves = block.parts()
    own = {half: {k.removeprefix(f"{half}."): a for k, a in w.items() if k.startswith(half)} for half in halves}
    refined = channel_attention.naive(halves["channel"], own["channel"], x)
    return spatial_attention.naive(halves["spatial"], own["spatial"], refined, train)
