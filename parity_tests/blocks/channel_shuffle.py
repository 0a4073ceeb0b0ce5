"""ShuffleNet's channel shuffle: cases, and the paper's sentence on it."""

from __future__ import annotations

import numpy as np
from cases import Case

import attn_core as core

BLOCK = SHUFFLE = core.ChannelShuffle

CASES = {
    "shuffle": Case(SHUFFLE(6, 2), (2, 6, 3, 4)),
    "shuffle_back": Case(SHUFFLE(6, 3), (2, 6, 5, 3)),
    "shuffle_line": Case(SHUFFLE(12, 4), (2, 12, 5)),
    "shuffle_volume": Case(SHUFFLE(8, 2), (1, 8, 2, 3, 2)),
    "shuffle_one_pixel": Case(SHUFFLE(6, 3), (2, 6, 1, 1)),
    "shuffle_one_wide": Case(SHUFFLE(6, 3), (2, 6, 5, 1)),
}

RECORDINGS = []

REFUSED = {
    "ChannelShuffle(8, groups=3)": "ChannelShuffle(channels=8, groups=3): groups must divide the 8 channels.",
}


def naive(block: core.ChannelShuffle, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Take the first channel of each group, then the second of each, and so on."""
    size = block.channels // block.groups
    order = [group * size + place for place in range(size) for group in range(block.groups)]
    return np.stack([x[:, channel] for channel in order], 1)
