"""Blocks of other people's networks, with an attention block of ours inside, as they were recorded whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import attn_core as core
from attn_core import dialects
from attn_core.spec import parts
from attn_core.weights import Weights
from attn_core.weights.dialects.layout import Layer, Turn, tf_conv

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class MBConv(core.Block):
    """The inverted bottleneck of Keras' EfficientNets, of stride 1; its layers have Keras' momentum and epsilon."""

    channels: int
    expansion: int
    attention: core.Block

    def parts(self) -> dict[str, Any]:
        inner = self.channels * self.expansion
        return {
            "expand": parts.Conv(self.channels, inner, (1, 1), bias=False),
            "expand_norm": _norm(inner),
            "depthwise": parts.Conv(inner, inner, (3, 3), groups=inner, bias=False),
            "depthwise_norm": _norm(inner),
            "attention": self.attention,
            "project": parts.Conv(inner, self.channels, (1, 1), bias=False),
            "project_norm": _norm(self.channels),
        }

    def forward(self, f: Any, p: Any, x: Any) -> Any:
        inner = f.silu(p.expand_norm(p.expand(x)))
        inner = f.silu(p.depthwise_norm(p.depthwise(inner)))
        return f.add(p.project_norm(p.project(p.attention(inner))), x)


def _norm(channels: int) -> parts.BatchNorm:
    return parts.BatchNorm(channels, 2, momentum=0.01, eps=1e-3)


_LEAVES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
LAYERS = {
    "expand": tf_conv("b_expand_conv"),
    "expand_norm": Layer("b_expand_bn", leaves=_LEAVES, glue="/"),
    "depthwise": Layer("b_dwconv", {"weight": Turn((2, 3, 0, 1))}, {"weight": "kernel"}, "/"),
    "depthwise_norm": Layer("b_bn", leaves=_LEAVES, glue="/"),
    "project": tf_conv("b_project_conv"),
    "project_norm": Layer("b_project_bn", leaves=_LEAVES, glue="/"),
}


def read(theirs: Arrays) -> tuple[MBConv, Weights]:
    """Return the block and its weights; the attention is read by its dialect, as that of any network."""
    found = dialects.read_all("keras_applications.efficientnet", theirs)
    attention, own = found["b_"]
    block = MBConv(16, 2, attention)
    return block, named(block, theirs) | {f"attention.{name}": array for name, array in own.items()}


def named(block: MBConv, theirs: Arrays) -> Weights:
    """Return by our names what there is of their arrays, weights or gradients, but for the attention's."""
    found = {}
    for name in block.arrays():
        part, _, leaf = name.rpartition(".")
        if part in LAYERS and LAYERS[part].key(leaf) in theirs:
            found[name] = LAYERS[part].turn(leaf).ours(theirs[LAYERS[part].key(leaf)])
    return found
