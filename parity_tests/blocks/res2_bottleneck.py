"""Res2Net's bottleneck: cases, recordings, and figure 2b of the paper."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import conv_norm, relu

import attn_core as core
from blocks import res2_conv

BLOCK = RES2NET = core.Res2Bottleneck

CASES = {
    "res2net": Case(RES2NET(8, 2, base_width=32), (2, 8, 3, 4), seed=322),
    "res2net_train": Case(RES2NET(8, 2, 3, 64, momentum=0.6), (2, 8, 3, 4), seed=51, train=True),
    "res2net_first": Case(RES2NET(3, 2, 3, 32, first_of_stage=True), (2, 3, 4, 3), seed=19),
    "res2net_strided": Case(RES2NET(8, 2, 3, 32, stride=2, first_of_stage=True), (4, 8, 3, 4), seed=1248),
    "res2net_strided_train": Case(
        RES2NET(3, 2, 3, 64, stride=2, first_of_stage=True, momentum=0.6), (3, 3, 5, 4), seed=50, train=True
    ),
    "res2net_line": Case(RES2NET(4, 1, 3, 64, rank=1), (4, 4, 7), seed=92),
    "res2net_volume": Case(RES2NET(3, 1, 2, 64, rank=3), (3, 3, 3, 3, 2), seed=1),
    "res2net_one_pixel": Case(RES2NET(4, 1, 3, 64, kernel=1), (6, 4, 1, 1), seed=188),
}

BOTH = ("eval", "train")
FIRST = RES2NET(24, 16, stride=2, first_of_stage=True)
RECORDINGS = [
    Recording("official/res2net_bottle2neck", RES2NET(64, 16), "res2net.Bottle2neck", modes=BOTH),
    Recording("official/res2net_bottle2neck_stage", FIRST, "res2net.Bottle2neck", modes=BOTH),
]

EXPRESSIBLE = {
    "res2net.Bottle2neck": [
        (RES2NET(64, 16), {}),
        (RES2NET(24, 16, 3, 12, stride=2, first_of_stage=True), {}),
        (RES2NET(16, 16, 1, 8, first_of_stage=True), {}),
        (RES2NET(32, 16, 2, stride=3, first_of_stage=True), {"stride": 3}),
    ],
}

REFUSED = {
    "Res2Bottleneck(8, planes=1)": (
        "Res2Bottleneck(channels=8, planes=1, scale=4, base_width=26) "
        "leaves a piece no channel: planes * base_width must be at least 64."
    ),
    "Res2Bottleneck(8, planes='4')": "Res2Bottleneck: planes must be int, got '4'.",
}


def naive(block: core.Res2Bottleneck, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One layer after the other."""
    hierarchy = block.parts()["hierarchy"]
    own = {name.removeprefix("hierarchy."): a for name, a in w.items() if name.startswith("hierarchy.")}
    y = res2_conv.naive(hierarchy, own, relu(conv_norm(x, w, "reduce", train)), train)
    shortcut = conv_norm(x, w, "shortcut", train, block.stride) if "shortcut.weight" in w else x
    return relu(conv_norm(y, w, "expand", train) + shortcut)
