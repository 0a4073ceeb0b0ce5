"""The pointwise gate of YOLOv4: cases, and its definition in words, number by number."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = GATE = core.PointwiseGate

CASES = {
    "pg": Case(GATE(4), (2, 4, 3, 5), seed=3),
    "pg_plain": Case(GATE(5, bias=False), (2, 5, 4, 3)),
    "pg_line": Case(GATE(4, rank=1), (2, 4, 7), seed=2),
    "pg_volume": Case(GATE(3, rank=3), (2, 3, 3, 2, 3)),
    "pg_shared": Case(GATE(4, shared=True), (2, 4, 3, 5)),
    "pg_one_pixel": Case(GATE(4), (3, 4, 1, 1)),
    "pg_one_wide": Case(GATE(4), (2, 4, 5, 1)),
}

RECORDINGS = [Recording("official/aimed_sse", GATE(16, shared=True), "aimed.SpatialSELayer")]

EXPRESSIBLE = {
    "aimed.SpatialSELayer": [(GATE(16, shared=True), {}), (GATE(3, rank=3, shared=True), {})],
}

REFUSED = {
    "PointwiseGate(0)": "PointwiseGate(channels=0): channels must be at least 1.",
    "PointwiseGate(8, shared=1)": "PointwiseGate: shared must be bool, got 1.",
}


def naive(block: core.PointwiseGate, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One number after the other."""
    kernel, y = w["conv.weight"], np.empty_like(x)
    for n, c, *at in np.ndindex(x.shape):
        gate = 0 if block.shared else c
        total = w["conv.bias"][gate] if block.bias else 0.0
        for other in range(block.channels):
            total += kernel[gate, other].item() * x[(n, other, *at)]
        y[(n, c, *at)] = x[(n, c, *at)] / (1 + math.exp(-total))
    return y
