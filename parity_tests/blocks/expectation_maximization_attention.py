"""Expectation-maximisation attention: cases, the recording, and the paper's three steps."""

from __future__ import annotations

import math

import numpy as np
from cases import Case, Recording

import attn_core as core

BLOCK = EMA = core.ExpectationMaximizationAttention

# No gradient passes through the reconstruction.
NONE = {"still": ("embed.weight", "embed.bias"), "cut": ("input",)}
CASES = {
    "ema": Case(EMA(4, 3), (2, 4, 3, 4), 14, **NONE),
    "ema_train": Case(EMA(4, 3, norm_momentum=0.3), (2, 4, 3, 4), 1, train=True, **NONE),
    "ema_one_step": Case(EMA(4, 2, steps=1, momentum=0.5), (2, 4, 4, 3), 10, train=True, **NONE),
    "ema_line": Case(EMA(5, 2, rank=1), (2, 5, 7), 2, **NONE),
    "ema_volume": Case(EMA(4, 3, steps=2, rank=3), (2, 4, 2, 3, 3), 15, **NONE),
    "ema_one_pixel": Case(EMA(4, 3), (3, 4, 1, 1), 12, train=True, **NONE),
    "ema_one_wide": Case(EMA(4, 3), (2, 4, 5, 1), 38, **NONE),
    "ema_one_basis": Case(EMA(4, 1), (6, 4, 2, 2), 3, train=True, **NONE),
}


class Unit(Recording):
    """The authors' class returns (x, mu); moving the bases to the mean of mu is left to the caller."""

    def recorded(self, mode: str, dtype: str = "f64") -> dict[str, np.ndarray]:
        """Do what the caller does in training: mu <- 0.9 mu + 0.1 mean over the batch of the mu returned."""
        io, found = self.files[1], super().recorded(mode, dtype)
        found["output"] = io[f"{dtype}/{mode}/output0"]
        if mode == "train":
            found["stat:bases.value"] = 0.9 * found["stat:bases.value"] + 0.1 * io[f"{dtype}/{mode}/output1"].mean(0).T
        return found


RECORDINGS = [Unit("official/emanet_emau", EMA(32, 8), "emanet.EMAU", modes=("eval", "train"))]

EXPRESSIBLE = {
    "emanet.EMAU": [
        (EMA(6, 4), {}),
        (EMA(6, 6, steps=2, norm_momentum=0.1), {"steps": 2, "norm_momentum": 0.1}),
    ],
}

REFUSED = {
    "ExpectationMaximizationAttention(8, bases=0)": (
        "ExpectationMaximizationAttention(channels=8, bases=0): bases must be at least 1."
    ),
    "ExpectationMaximizationAttention(8, norm_momentum=2)": (
        "ExpectationMaximizationAttention(channels=8, bases=64, norm_momentum=2): "
        "norm_momentum must lie between 0 and 1, got 2."
    ),
}


def reconstruction(block: core.ExpectationMaximizationAttention, mu: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Fit the bases (bases, channels) to the pixels (positions, channels) and rebuild them."""
    for _ in range(block.steps):
        z = np.array([[math.exp(pixel @ basis) for basis in mu] for pixel in x])
        z = z / z.sum(1, keepdims=True)
        means = [sum(share * pixel for share, pixel in zip(of, x, strict=True)) / (1e-6 + of.sum()) for of in z.T]
        mu = np.array([mean / (1e-6 + math.hypot(*mean)) for mean in means])
    return z @ mu


def naive(
    block: core.ExpectationMaximizationAttention, w: dict[str, np.ndarray], image: np.ndarray, train: bool = False
) -> np.ndarray:
    """One image after the other, one pixel after the other."""
    pixels = [sample.reshape(block.channels, -1).T for sample in image]
    first, second = (w[f"{name}.weight"].reshape(block.channels, -1) for name in ("embed", "fuse"))
    rebuilt = [reconstruction(block, w["bases.value"], x @ first.T + w["embed.bias"]) for x in pixels]
    y = np.array([np.maximum(x, 0) @ second.T for x in rebuilt])
    mean = y.mean((0, 1)) if train else w["norm.running_mean"]
    variance = y.var((0, 1)) if train else w["norm.running_var"]
    y = (y - mean) / np.sqrt(variance + 1e-5) * w["norm.weight"] + w["norm.bias"]
    return np.maximum(y + np.array(pixels), 0).transpose(0, 2, 1).reshape(image.shape)
