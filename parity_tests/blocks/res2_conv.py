"""Res2Net's hierarchical convolutions: cases, and equation 1 of the paper; its recordings are the bottleneck's."""

from __future__ import annotations

import numpy as np
from cases import Case
from loops import batch_norm, conv, relu

import attn_core as core

BLOCK = RES2 = core.Res2Conv

CASES = {
    "res2": Case(RES2(8), (2, 8, 3, 4), seed=2),
    "res2_train": Case(RES2(8, momentum=0.3), (2, 8, 3, 4), seed=1, train=True),
    "res2_line": Case(RES2(6, 3, kernel=5, rank=1), (2, 6, 7), seed=1),
    "res2_volume": Case(RES2(3, 3, rank=3), (2, 3, 2, 3, 2), seed=1),
    "res2_bare": Case(RES2(6, 3, norm=False), (2, 6, 3, 4)),
    "res2_one_piece": Case(RES2(3, 1), (2, 3, 3, 4)),
    "res2_first": Case(RES2(6, 3, first_of_stage=True), (2, 6, 4, 3), seed=1),
    "res2_first_strided": Case(RES2(6, 3, stride=2, first_of_stage=True), (2, 6, 5, 4), seed=20),
    "res2_first_strided_line": Case(RES2(6, 3, rank=1, stride=3, first_of_stage=True), (2, 6, 7), seed=14),
    "res2_one_pixel": Case(RES2(8, kernel=1), (3, 8, 1, 1), seed=5),
}

RECORDINGS: list = []

REFUSED = {
    "Res2Conv(10, scale=4)": (
        "Res2Conv(channels=10, scale=4): scale must divide channels, as each of its pieces has equally many."
    ),
    "Res2Conv(8, stride=2)": (
        "Res2Conv(channels=8, scale=4, stride=2): "
        "a stride above 1 needs first_of_stage=True, which adds no result to a piece of another size."
    ),
    "Res2Conv(1000000000, scale=1000000000)": (
        "Res2Conv(channels=1000000000, scale=1000000000): scale must be 1,000 at most."
    ),
}


def naive(block: core.Res2Conv, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """Write y_1 into the last channels, y_2 and those after it into the first."""
    s, width = block.scale, block.channels // block.scale
    piece = {i: x[:, (i - 2) % s * width :][:, :width] for i in range(1, s + 1)}  # x_i
    if s == 1:
        return convolved(block, w, "conv0", x, train)
    y = {1: averages(piece[1], block) if block.first_of_stage else piece[1]}
    for i in range(2, s + 1):
        given = piece[i] if i == 2 or block.first_of_stage else piece[i] + y[i - 1]
        y[i] = convolved(block, w, f"conv{i - 2}", given, train)
    return np.concatenate([y[i] for i in (*range(2, s + 1), 1)], 1)


def convolved(block: core.Res2Conv, w: dict[str, np.ndarray], name: str, x: np.ndarray, train: bool) -> np.ndarray:
    """Compute K(x)."""
    y = conv(x, w[f"{name}.weight"], block.stride)
    if not block.norm:
        return relu(y + w[f"{name}.bias"].reshape(-1, *(1,) * block.rank))
    return relu(batch_norm(y, w, f"{name}_norm", train))


def averages(x: np.ndarray, block: core.Res2Conv) -> np.ndarray:
    """Average each channel's windows: a convolution whose numbers are all one over the size of the window."""
    window = np.full((1, 1, *(block.kernel,) * block.rank), 1 / block.kernel**block.rank)
    return np.concatenate([conv(x[:, [c]], window, block.stride) for c in range(x.shape[1])], 1)
