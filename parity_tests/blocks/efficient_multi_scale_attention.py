"""Efficient multi-scale attention: cases, recordings, and what the paper's section 3 says."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording
from loops import conv

import attn_core as core

BLOCK = EMA = core.EfficientMultiScaleAttention

CASES = {
    "multi_scale": Case(EMA(6, 2), (2, 6, 3, 4), seed=2),
    "multi_scale_line": Case(EMA(4, rank=1), (2, 4, 5), seed=5),
    "multi_scale_volume": Case(EMA(4, 2, rank=3), (2, 4, 2, 3, 2)),
    "multi_scale_one_group": Case(EMA(3, 1), (2, 3, 4, 3)),
}

RECORDINGS = [
    Recording("official/ema_official", EMA(32, 8), "yolonme.EMA", {"groups": 8}),
    Recording("official/ema_official_g4", EMA(24, 4), "yolonme.EMA", {"groups": 4}),
]

EXPRESSIBLE = {
    "yolonme.EMA": [(EMA(64, 32), {}), (EMA(24, 4), {"groups": 4})],
}

REFUSED = {
    "EfficientMultiScaleAttention(0)": (
        "EfficientMultiScaleAttention(channels=0, groups=None): channels must be at least 1."
    ),
    "EfficientMultiScaleAttention(8, 3)": (
        "EfficientMultiScaleAttention(channels=8, groups=3): groups must divide the 8 channels."
    ),
    "EfficientMultiScaleAttention(8, 0)": (
        "EfficientMultiScaleAttention(channels=8, groups=0): groups must be at least 1."
    ),
    "EfficientMultiScaleAttention(8, rank=4)": (
        "EfficientMultiScaleAttention(channels=8, groups=None, rank=4): "
        "rank, the number of spatial axes, must be 1, 2 or 3."
    ),
}

RESOLVED = {
    "EfficientMultiScaleAttention(64)": {"groups": 32},
    "EfficientMultiScaleAttention(48)": {"groups": 24},
    "EfficientMultiScaleAttention(16)": {"groups": 8},
    "EfficientMultiScaleAttention(7)": {"groups": 1},
    "EfficientMultiScaleAttention(32, 32)": {"groups": 32},
}


def naive(block: core.EfficientMultiScaleAttention, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One group of one image after the other."""
    size, output = block.channels // block.groups, np.empty_like(x)
    for n in range(len(x)):
        for first in range(0, block.channels, size):
            own = slice(first, first + size)
            output[n, own] = x[n, own] * gate(w, x[n, own])
    return output


def gate(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return the gate of each pixel of one group."""
    a, pixels = np.empty_like(x), list(np.ndindex(x.shape[1:]))
    strips = [
        [[mean(channel.take(i, axis)) for channel in x] for i in range(x.shape[axis + 1])] for axis in range(x.ndim - 1)
    ]
    for c in range(len(x)):
        for place in pixels:
            factors = [sigmoid(point(w, c, strips[axis][i])) for axis, i in enumerate(place)]
            a[(c, *place)] = x[(c, *place)] * math.prod(factors)
        centre = mean(a[c])
        variance = mean((a[c] - centre) ** 2)
        a[c] = (a[c] - centre) / math.sqrt(variance + 1e-5) * w["norm.weight"][c] + w["norm.bias"][c]
    b = conv(x[None], w["conv.weight"])[0] + w["conv.bias"].reshape(-1, *[1] * (x.ndim - 1))
    weights_a, weights_b = softmax([mean(channel) for channel in a]), softmax([mean(channel) for channel in b])
    found = np.empty(x.shape[1:])
    for place in pixels:
        terms = [weights_a[c] * b[(c, *place)] + weights_b[c] * a[(c, *place)] for c in range(len(x))]
        found[place] = sigmoid(math.fsum(terms))
    return found


def mean(numbers: np.ndarray) -> float:
    return math.fsum(numbers.ravel()) / numbers.size


def point(w: dict[str, np.ndarray], out: int, numbers: list[float]) -> float:
    kernel = w["point.weight"][out].ravel()
    return w["point.bias"][out] + math.fsum(a * b for a, b in zip(kernel, numbers, strict=True))


def softmax(numbers: list[float]) -> list[float]:
    powers = [math.exp(v) for v in numbers]
    return [power / math.fsum(powers) for power in powers]


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))
