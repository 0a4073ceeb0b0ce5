"""Strip pooling: cases, a recording, and the equations of the paper's section 3.1."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv, relu

import attn_core as core

BLOCK = STRIP = core.StripPooling

CASES = {
    "strip": Case(STRIP(4), (2, 4, 3, 5), seed=2),
    "strip_bare": Case(STRIP(3, 5, bias=False), (2, 3, 6, 5), seed=4),
    "strip_volume": Case(STRIP(3, rank=3), (2, 3, 2, 3, 4)),
    "strip_relu": Case(STRIP(3, relu=True), (2, 3, 4, 3), seed=7),
    "strip_norm": Case(STRIP(3, norm=True), (2, 3, 4, 3), seed=8),
    "strip_official": Case(STRIP(3, norm=True, relu=True), (2, 3, 5, 4), seed=5),
    "strip_official_train": Case(STRIP(3, norm=True, relu=True, momentum=0.3), (2, 3, 5, 4), seed=8, train=True),
    "strip_one_pixel": Case(STRIP(4, 1), (3, 4, 1, 1), seed=1),
    "strip_one_wide": Case(STRIP(3, 1), (2, 3, 5, 1)),
}

RECORDINGS = [
    Recording(
        "official/spnet_spblock",
        STRIP(16, norm=True, relu=True),
        "spnet.SPBlock",
        gate="spatial",
        modes=("eval", "train"),
    )
]

EXPRESSIBLE = {"spnet.SPBlock": [(STRIP(6, norm=True, relu=True), {})]}

REFUSED = {
    "StripPooling(8, rank=1)": (
        "StripPooling(channels=8, kernel=3, rank=1): "
        "rank, the number of spatial axes, must be 2 or 3: a strip is the means over all axes but one."
    ),
    "StripPooling(8, kernel=2)": "StripPooling(channels=8, kernel=2): kernel must be odd, so that it has a centre.",
}


def strips(x: np.ndarray, w: dict[str, np.ndarray], train: bool, norm: bool = True) -> np.ndarray:
    """Repeat each line of means over the whole image."""
    total = np.zeros(x.shape)
    for axis in range(2, x.ndim):
        line = np.stack([np.take(x, i, axis).mean(tuple(range(2, x.ndim - 1))) for i in range(x.shape[axis])], -1)
        kernel = w[f"strip{axis - 2}.weight"].reshape(*w["strip0.weight"].shape[:2], -1)
        y = conv(line, kernel)
        y = batch_norm(y, w, f"strip{axis - 2}_norm", train) if norm else y
        for place in np.ndindex(*x.shape[2:]):
            total[(..., *place)] += y[..., place[axis - 2]]
    return total


def naive(block: core.StripPooling, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One strip after the other."""
    y = strips(x, w, train, block.norm)
    logits = conv(relu(y) if block.relu else y, w["fuse.weight"])
    if block.bias:
        logits = np.moveaxis(np.moveaxis(logits, 1, -1) + w["fuse.bias"], -1, 1)
    return x / (1 + np.exp(-logits))
