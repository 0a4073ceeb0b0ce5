"""A network of the TensorFlow article's `res_block2`, as a user writes it, and where its weights are in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from blocks.residual_block import SEED_000
from runtimes import GOLDEN

import attn_core as core
from attn_core import tf1
from attn_core.models.stage import Stage
from attn_core.spec.parts import BatchNorm, Conv, Dense


@dataclass(frozen=True, repr=False)
class Classifier(core.Block):
    """The network of golden/tf1/res_block2_net."""

    channels: int = 3

    def parts(self) -> dict[str, Any]:
        sizes = [(16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 40, 2)]
        se = {"attention": "SqueezeExcitation(reduction=16)", **SEED_000}
        return {
            "stem": Conv(3, 16, (3, 3), stride=2, padding="same"),
            "stem_norm": BatchNorm(16, 2, momentum=0.01, eps=1e-3),
            "stage": Stage(tuple(core.ResidualBlock(*size, **se) for size in sizes)),
            "classify": Dense(40, 10),
        }

    def forward(self, f: Any, p: Any, x: Any) -> Any:
        return p.classify(f.global_mean(p.stage(f.relu(p.stem_norm(p.stem(x))))))


KINDS = {
    "conv": {"weight": "kernel", "bias": "bias"},
    "norm": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
    "dense": {"weight": "kernel", "bias": "bias"},
}
NAMES = {"conv": "conv2d", "norm": "batch_normalization", "dense": "dense"}


def layers() -> Iterator[tuple[str, str]]:
    """Name the layers in the order in which TensorFlow built and numbered them."""
    yield from (("stem", "conv"), ("stem_norm", "norm"))
    for i, block in enumerate(Classifier().parts()["stage"].blocks, 1):
        names = ["conv1", "conv1_norm", "conv2", "conv2_norm", "attention.reduce", "attention.expand"]
        names += ["shortcut", "shortcut_norm"] if block.projects else []
        for name in names:
            kind = "norm" if name.endswith("norm") else "dense" if name.startswith("attention") else "conv"
            yield f"stage.block{i}.{name}", kind
    yield "classify", "dense"


@cache
def variables() -> dict[str, str]:
    """Return TensorFlow's variable for each of our arrays."""
    counts, found = dict.fromkeys(NAMES, 0), {}
    for name, kind in layers():
        theirs = NAMES[kind] if counts[kind] == 0 else f"{NAMES[kind]}_{counts[kind]}"
        counts[kind] += 1
        found |= {f"{name}.{ours}": f"{theirs}/{leaf}" for ours, leaf in KINDS[kind].items()}
    return found


def turned(array: np.ndarray) -> np.ndarray:
    """Turn a kernel (*k, in, out) into a weight (out, in, *k)."""
    return np.moveaxis(array, (-1, -2), (0, 1)) if array.ndim > 1 else array


@cache
def weights() -> dict[str, np.ndarray]:
    checkpoint = tf1.read_checkpoint(GOLDEN / "tf1" / "res_block2_net" / "model.ckpt-200")
    return {ours: turned(checkpoint[theirs]) for ours, theirs in variables().items()}
