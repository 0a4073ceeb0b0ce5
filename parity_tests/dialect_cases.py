"""What the tests of dialects read and write: each block of `EXPRESSIBLE` by its number, and random weights."""

from __future__ import annotations

import numpy as np
from blocks import EXPRESSIBLE

import attn_core as core
from attn_core.weights import Weights

SE, CAM, SAM, CBAM, NL, GC = (
    core.SqueezeExcitation,
    core.ChannelAttention,
    core.SpatialAttention,
    core.CBAM,
    core.NonLocal,
    core.GlobalContext,
)
RES, SA = core.ResidualBlock, core.ShuffleAttention
LISTED = [(name, i) for name, examples in EXPRESSIBLE.items() for i in range(len(examples))]


def weights_of(block: core.Block, dtype: str = "float32", seed: int = 0) -> Weights:
    """Random numbers for all arrays, also those that start at 0."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(array.shape).astype(dtype) for name, array in block.arrays().items()}


def same(one: Weights, other: Weights) -> bool:
    """Say whether two dicts of arrays have the same names, types, shapes and bits."""
    return one.keys() == other.keys() and all(
        a.dtype == other[name].dtype and a.shape == other[name].shape and np.array_equal(_bytes(a), _bytes(other[name]))
        for name, a in one.items()
    )


def _bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view("u1")
