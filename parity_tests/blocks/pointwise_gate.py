"""The pointwise gate of YOLOv4: cases, and its definition in words, number by number."""

from __future__ import annotations

import math

import numpy as np
from cases import Case

import attn_core as core

BLOCK = GATE = core.PointwiseGate

CASES = {
    "pg": Case(GATE(4), (2, 4, 3, 5), seed=3),
    "pg_plain": Case(GATE(5, bias=False), (2, 5, 4, 3)),
    "pg_line": Case(GATE(4, rank=1), (2, 4, 7), seed=2),
    "pg_volume": Case(GATE(3, rank=3), (2, 3, 3, 2, 3)),
    "pg_one_pixel": Case(GATE(4), (3, 4, 1, 1)),
    "pg_one_wide": Case(GATE(4), (2, 4, 5, 1)),
}

RECORDINGS = []

REFUSED = {
    "PointwiseGate(0)": "PointwiseGate(channels=0): channels must be at least 1.",
}


def naive(block: core.PointwiseGate, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    kernel, y = w["conv.weight"], np.empty_like(x)
    for n, c, *at in np.ndindex(x.shape):
        total = w["conv.bias"][c] if block.bias else 0.0
        for other in range(block.channels):
            total += kernel[c, other].item() * x[(n, other, *at)]
        y[(n, c, *at)] = x[(n, c, *at)] / (1 + math.exp(-total))
    return y
