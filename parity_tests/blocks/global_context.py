"""Global context blocks: cases, recordings, and the formula of the paper."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = GC = core.GlobalContext

STILL = ("mask.bias",)  # it adds the same number to all arguments of a softmax
CASES = {
    "gc": Case(GC(8, 2), (2, 8, 3, 3), seed=1, still=STILL),
    "gc_line": Case(GC(6, hidden=4, fusion="scale"), (3, 6, 7), still=STILL),
    "gc_volume": Case(GC(6, hidden=4, fusion="both", bias=False), (3, 6, 2, 3, 2), seed=30),
    "gc_one_wide": Case(GC(5, 1, fusion="both", eps=1e-2), (3, 5, 5, 1), seed=38, still=STILL),
    "gc_mean": Case(GC(8, 2, pool="mean"), (2, 8, 4, 3)),
    "gc_mean_both": Case(GC(6, hidden=4, pool="mean", fusion="both", eps=1e-3), (3, 6, 3, 3), seed=2),
    "gc_one_pixel": Case(GC(6, hidden=5, pool="mean", fusion="scale", bias=False), (3, 6, 1, 1), seed=4),
}

RECORDINGS = [
    Recording("official/gcnet_context_add", GC(32, hidden=8), "gcnet.ContextBlock"),
    Recording("official/gcnet_context_mul", GC(32, hidden=8, fusion="scale"), "gcnet.ContextBlock"),
    Recording("official/timm_gc", GC(32, hidden=4, fusion="scale", eps=1e-6), "timm.GlobalContext"),
]

CONTEXTS = [
    (GC(32, hidden=8), {}),
    (GC(8, hidden=3, fusion="scale"), {}),
    (GC(8, hidden=3, fusion="both", pool="mean"), {}),
]
EXPRESSIBLE = {
    "gcnet.ContextBlock": CONTEXTS,
    "mmcv.ContextBlock": CONTEXTS,
    "timm.GlobalContext": [
        (GC(32, hidden=4, fusion="scale", eps=1e-6), {}),
        (GC(8, hidden=3, eps=1e-5), {"eps": 1e-5}),
        (GC(8, hidden=3, fusion="both", pool="mean", eps=1e-6), {}),
    ],
}

REFUSED = {
    "GlobalContext(8, 16)": (
        "GlobalContext(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8."
    ),
    "GlobalContext(32, fusion='mul')": (
        "GlobalContext(channels=32, reduction=16, fusion='mul'): fusion must be one of add, scale, both; got 'mul'."
    ),
    "GlobalContext(32, eps=0)": "GlobalContext(channels=32, reduction=16, eps=0): eps must be above 0.",
}


def naive(block: core.GlobalContext, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One image after the other."""
    z = np.empty_like(x)
    for n, image in enumerate(x):
        pixels = [image[(slice(None), *at)] for at in np.ndindex(image.shape[1:])]
        weights = [1.0] * len(pixels)
        if block.pool == "attention":
            weights = [math.exp(w["mask.weight"][0] @ pixel + w.get("mask.bias", [0.0])[0]) for pixel in pixels]
        context = sum(a * pixel for a, pixel in zip(weights, pixels, strict=True)) / math.fsum(weights)
        for c, plane in enumerate(image):
            z[n, c] = plane
            if block.fusion != "add":
                z[n, c] /= 1 + math.exp(-transformed(block, w, "scale", context)[c])
            if block.fusion != "scale":
                z[n, c] += transformed(block, w, "add", context)[c]
    return z


def transformed(block: core.GlobalContext, w: dict[str, np.ndarray], way: str, context: np.ndarray) -> np.ndarray:
    """W_v2 relu(LN(W_v1 c)), with the biases that there are."""
    units = w[f"{way}_reduce.weight"] @ context + w.get(f"{way}_reduce.bias", 0.0)
    mean = math.fsum(units) / len(units)
    deviation = math.sqrt(math.fsum((u - mean) ** 2 for u in units) / len(units) + block.eps)
    weights, biases = w[f"{way}_norm.weight"], w[f"{way}_norm.bias"]
    fired = [max(0.0, (u - mean) / deviation * a + b) for u, a, b in zip(units, weights, biases, strict=True)]
    return w[f"{way}_expand.weight"] @ np.array(fired) + w.get(f"{way}_expand.bias", 0.0)
