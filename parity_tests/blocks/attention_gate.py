"""The gate of Attention U-Net: cases, recordings, and the paper's equations 1 and 2."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv, relu, resize

import attn_core as core

BLOCK = GATE = core.AttentionGate

STILL = ("features.bias", "signal.bias", "map.bias")  # before a norm, in training
CASES = {
    "ag": Case(GATE(4, 3), (2, 4, 3, 5), seed=1),
    "ag_train": Case(GATE(3, 4, 2, momentum=0.3), (3, 3, 4, 3), seed=2, train=True, still=STILL),
    "ag_line": Case(GATE(4, 2, rank=1), (2, 4, 6), seed=8),
    "ag_volume": Case(GATE(3, 2, 3, rank=3), (4, 3, 3, 2, 3), seed=7),
    "ag_grid": Case(GATE(4, 3, grid=2), (2, 4, 5, 6), seed=7, beside=((2, 4),)),
    "ag_grid_train": Case(
        GATE(3, 2, momentum=0.3, grid=2), (3, 3, 4, 5), seed=57, train=True, still=("project.bias",), beside=((3, 2),)
    ),
    "ag_grid_line": Case(GATE(4, 2, rank=1, grid=3), (2, 4, 7), seed=4, beside=((4,),)),
    "ag_grid_volume": Case(
        GATE(3, 2, rank=3, grid=2, align_corners=True), (2, 3, 4, 3, 6), seed=4, beside=((1, 1, 2),)
    ),
    "ag_one_pixel": Case(GATE(4, 3), (8, 4, 1, 1), seed=12),
}

SWAPPED = (1, 0)  # their first input is the gating signal
RECORDINGS = [
    Recording(
        "official/leejunhyun_gate", GATE(16, 12), "leejunhyun.Attention_block", order=SWAPPED, modes=("eval", "train")
    ),
    Recording(
        "official/monai_attention_block_2d",
        GATE(16, 12),
        "monai.AttentionBlock",
        order=SWAPPED,
        modes=("eval", "train"),
    ),
    Recording(
        "official/monai_attention_block_3d",
        GATE(12, 8, rank=3),
        "monai.AttentionBlock",
        order=SWAPPED,
        modes=("eval", "train"),
    ),
    Recording(
        "official/oktay_grid_2d",
        GATE(16, 24, grid=2),
        "oktay.GridAttentionBlock",
        order=(0, 1),
        modes=("eval", "train"),
        also="spatial",
    ),
]

ALIGNED = {"align_corners": True}
EXPRESSIBLE = {
    "oktay.GridAttentionBlock": [
        (GATE(16, 24, grid=2), {}),
        (GATE(4, 3, 5, rank=3, grid=1), {}),
        (GATE(4, 3, grid=3, align_corners=True), ALIGNED),
    ],
    "leejunhyun.Attention_block": [(GATE(16, 12), {}), (GATE(3, 4, 5), {})],
    "monai.AttentionBlock": [(GATE(16, 12), {}), (GATE(3, 4, 5, rank=3), {})],
}

REFUSED = {
    "AttentionGate(8, 4, grid=0)": ("AttentionGate(channels=8, gating=4, hidden=4, grid=0): grid must be at least 1."),
    "AttentionGate(8, 4, grid=2.0)": "AttentionGate: grid must be int or None, got 2.0.",
    "AttentionGate(8, 0)": "AttentionGate(channels=8, gating=0, hidden=None): gating must be at least 1.",
    "AttentionGate(8, 4, 0)": "AttentionGate(channels=8, gating=4, hidden=0): hidden must be at least 1.",
    "AttentionGate(8, 4, rank=4)": (
        "AttentionGate(channels=8, gating=4, hidden=None, rank=4): rank, the number of spatial axes, must be 1, 2 or 3."
    ),
    "AttentionGate(8, 4, momentum=2)": (
        "AttentionGate(channels=8, gating=4, hidden=None, momentum=2): momentum must lie between 0 and 1, got 2."
    ),
}

RESOLVED = {
    "AttentionGate(8, 16)": {"hidden": 4},
    "AttentionGate(1, 16)": {"hidden": 1},
}


def naive(
    block: core.AttentionGate, w: dict[str, np.ndarray], x: np.ndarray, signal: np.ndarray, train: bool = False
) -> np.ndarray:
    """One convolution after the other."""
    if block.grid:
        return naive_grid(block, w, x, signal, train)
    both = layer(w, "features", x, train) + layer(w, "signal", signal, train)
    return x / (1 + np.exp(-layer(w, "map", np.maximum(both, 0), train)))


def naive_grid(
    block: core.AttentionGate, w: dict[str, np.ndarray], x: np.ndarray, signal: np.ndarray, train: bool
) -> np.ndarray:
    """Where the gates are computed on a grid, and resized."""
    features = conv(x, w["features.weight"], block.grid, "valid")
    both = features + resize(point(w, "signal", signal), features.shape[2:], block.align_corners)
    gate = resize(1 / (1 + np.exp(-point(w, "map", relu(both)))), x.shape[2:], block.align_corners)
    return batch_norm(point(w, "project", gate * x), w, "project_norm", train)


def point(w: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    return conv(x, w[f"{name}.weight"]) + w[f"{name}.bias"].reshape(-1, *(1,) * (x.ndim - 2))


def layer(w: dict[str, np.ndarray], name: str, x: np.ndarray, train: bool) -> np.ndarray:
    return batch_norm(point(w, name, x), w, f"{name}_norm", train)
