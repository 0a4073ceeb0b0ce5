"""Blocks of one step, so that each primitive and each part can be run alone in every runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from attn_core.spec import Block, parts
from attn_core.spec.initializers import Directions, Initializer

CHANNELS = 6


@dataclass(frozen=True)
class Probe(Block):
    """One primitive, or one part called `part`, on an image of 6 channels; the name is a key of the tables below."""

    step: str
    rank: int = 2

    @property
    def channels(self) -> int:
        return CHANNELS

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("input", "theta") if self.step.startswith("sample") else ("input",)

    def parts(self) -> dict[str, Any]:
        return {"part": PARTS[self.step](self.rank)} if self.step in PARTS else {}

    def forward(self, f: Any, p: Any, x: Any, *more: Any) -> Any:
        step = PRIMITIVES.get(self.step) or APPLIED.get(self.step)
        return step(f, self.rank, x, *more) if self.step in PRIMITIVES else step(f, p, x) if step else p.part(x)


@dataclass(frozen=True)
class Drawn(Block):
    """A layer of many weights that follow a law."""

    law: Initializer

    @property
    def channels(self) -> int:
        return 100

    def parts(self) -> dict[str, Any]:
        return {"part": parts.Dense(100, 50, bias=False, law=self.law)}

    def forward(self, f: Any, p: Any, x: Any) -> Any:
        return p.part(f.global_mean(x))


def halves(rank: int) -> tuple[int | None, ...]:
    return (None, *(1,) * (rank - 1))


def sampled(padding: str, align_corners: bool) -> Callable[..., Any]:
    def run(f: Any, rank: int, x: Any, theta: Any) -> Any:
        grid = f.affine_grid(theta, (3, 4, 2)[:rank], align_corners)
        return f.sample(x, grid, padding, align_corners)

    return run


def sampled_own(f: Any, size: tuple[int | None, ...], x: Any, theta: Any) -> Any:
    return f.sample(x, f.affine_grid(theta, size, False, x), "zeros", False)


def on_tokens(run: Callable[..., Any]) -> Callable[..., Any]:
    """Run a step on an image's tokens, the result being tokens again."""
    return lambda f, rank, x: f.to_image(run(f, f.to_tokens(x)), x)


def taken(f: Any, x: Any) -> Any:
    return f.to_image(f.take(f.to_tokens(x), INDEX), x)


def by_rows(f: Any, x: Any) -> Any:
    rows = f.matrices(f.concat([f.global_mean(x), f.global_max(x)]), 2)
    return f.to_image(f.einsum("bnc,brc->bnr", f.to_tokens(x), rows), x)


def cut_again(f: Any, rank: int, x: Any) -> Any:
    small = f.adaptive_mean(x, halves(rank))
    return f.cut(f.sigmoid(f.join([x, small])), [x, small])


def deep(f: Any, rank: int, x: Any) -> Any:
    """Return an image of at least two spatial axes."""
    return x if rank > 1 else f.channels_to_depth(x)


INDEX = np.array([[2, 0, 5], [1, 1, 3], [4, 5, 0]])

PRIMITIVES: dict[str, Callable[..., Any]] = {
    "global_mean": lambda f, rank, x: f.global_mean(x),
    "global_max": lambda f, rank, x: f.global_max(x),
    "global_length": lambda f, rank, x: f.global_length(x),
    "global_length_of_zeros": lambda f, rank, x: f.global_length(f.relu(f.linear(x, 1, -100))),
    "channel_mean": lambda f, rank, x: f.channel_mean(x),
    "channel_max": lambda f, rank, x: f.channel_max(x),
    "adaptive_mean": lambda f, rank, x: f.adaptive_mean(x, (4, 3, 2)[:rank]),
    "adaptive_mean_strip": lambda f, rank, x: f.adaptive_mean(x, halves(rank)),
    "mean_pool": lambda f, rank, x: f.mean_pool(x, 3, 1),
    "mean_pool_strided": lambda f, rank, x: f.mean_pool(x, 3, 2),
    "max_pool": lambda f, rank, x: f.max_pool(f.concat([x, f.sigmoid(x)]), (2, 2, 1)[:rank]),
    "max_pool_symmetric": lambda f, rank, x: f.max_pool(x, (3, 5, 1)[:rank], 2, "symmetric"),
    "max_pool_same": lambda f, rank, x: f.max_pool(f.concat([x, f.sigmoid(x)]), (3, 2, 4)[:rank], 2, "same"),
    "max_pool_overlapping": lambda f, rank, x: f.max_pool(x, (2, 1, 1)[:rank], 1),
    "depth_to_channels": lambda f, rank, x: f.depth_to_channels(deep(f, rank, x)),
    "depth_and_back": lambda f, rank, x: f.depth_to_channels(f.channels_to_depth(x)),
    "channels_to_depth": lambda f, rank, x: f.flatten(f.channels_to_depth(x)),
    "channels_to_depth_of_a_vector": lambda f, rank, x: f.channels_to_depth(f.global_mean(x)),
    "resize_up": lambda f, rank, x: f.resize(f.adaptive_mean(x, (3, 2, 1)[:rank]), x),
    "resize_down": lambda f, rank, x: f.resize(x, f.adaptive_mean(x, (2, 3, 2)[:rank])),
    "resize_up_by_edges": lambda f, rank, x: f.resize(f.adaptive_mean(x, (3, 2, 1)[:rank]), x, False),
    "resize_down_by_edges": lambda f, rank, x: f.resize(x, f.adaptive_mean(x, (2, 3, 2)[:rank]), False),
    "sample_zeros": sampled("zeros", False),
    "sample_zeros_aligned": sampled("zeros", True),
    "sample_border": sampled("border", False),
    "sample_border_aligned": sampled("border", True),
    "sample_own_size": lambda f, rank, x, theta: sampled_own(f, (None, 4, None)[:rank], x, theta),
    "group": lambda f, rank, x: f.ungroup(f.channel_shuffle(f.group(x, 3), 2), 3),
    "ungroup_vector": lambda f, rank, x: f.ungroup(f.global_mean(f.group(x, 2)), 2),
    "channel_shuffle": lambda f, rank, x: f.channel_shuffle(x, 3),
    "split": lambda f, rank, x: f.concat([f.relu(f.split(x, 3)[2]), f.split(x, 3)[0]]),
    "concat": lambda f, rank, x: f.concat([x, f.sigmoid(x)]),
    "concat_vectors": lambda f, rank, x: f.concat([f.global_mean(x), f.global_max(x)]),
    "exchange": lambda f, rank, x: f.exchange(f.exchange(f.relu(x), rank - 1), 0),
    "join": lambda f, rank, x: f.join([x, f.adaptive_mean(x, halves(rank))]),
    "cut": lambda f, rank, x: f.add(*cut_again(f, rank, x)),
    "scale": lambda f, rank, x: f.scale(x, f.sigmoid(f.global_mean(x))),
    "scale_one_channel": lambda f, rank, x: f.scale(f.channel_mean(x), f.sigmoid(f.global_max(x))),
    "shift_one_channel": lambda f, rank, x: f.shift(f.channel_mean(x), f.global_max(x)),
    "shift": lambda f, rank, x: f.shift(x, f.global_max(x)),
    "standardise": lambda f, rank, x: f.standardise(x, 0.1),
    "multiply": lambda f, rank, x: f.multiply(x, f.channel_mean(x)),
    "multiply_equals": lambda f, rank, x: f.multiply(x, f.sigmoid(x)),
    "add": lambda f, rank, x: f.add(x, f.adaptive_mean(x, halves(rank))),
    "add_vectors": lambda f, rank, x: f.add(f.global_mean(x), f.global_max(x)),
    "maximum": lambda f, rank, x: f.maximum(x, f.linear(x, 0.5, 0.25)),
    "maximum_of_equals": lambda f, rank, x: f.maximum(f.linear(f.relu(x), 0.5), f.linear(f.relu(x), 3)),
    "to_tokens": on_tokens(lambda f, t: t),
    "flatten": lambda f, rank, x: f.flatten(x),
    "flatten_pooled": lambda f, rank, x: f.flatten(f.adaptive_mean(x, (3, 2, 2)[:rank])),
    "einsum": on_tokens(lambda f, t: f.einsum("bnd,bcd->bnc", t, f.einsum("bmc,bmd->bcd", f.sigmoid(t), t))),
    "softmax": on_tokens(lambda f, t: f.softmax(t)),
    "attend": on_tokens(lambda f, t: f.attend(f.sigmoid(t), t, f.relu(t), 0.5)),
    "attend_narrow": on_tokens(lambda f, t: f.attend(f.softmax(t), f.sigmoid(t), f.einsum("bnc,bnc->bnc", t, t), 2.0)),
    "normalise_1": on_tokens(lambda f, t: f.normalise(f.softmax(t), 1)),
    "normalise_2": on_tokens(lambda f, t: f.normalise(t, 2)),
    "normalise_vectors": lambda f, rank, x: f.normalise(f.global_length(x), 1, 0.5),
    "over_positions": on_tokens(lambda f, t: f.over_positions(f.einsum("bnc,bnc->bnc", t, t), t)),
    "take": lambda f, rank, x: taken(f, f.adaptive_mean(x, (3, 1, 1)[:rank])),
    "matrices": lambda f, rank, x: by_rows(f, x),
    "batch_mean": on_tokens(lambda f, t: f.einsum("bnc,nc->bnc", t, f.batch_mean(t))),
    "stop_gradient": lambda f, rank, x: f.multiply(x, f.stop_gradient(x)),
    "linear": lambda f, rank, x: f.linear(x, -0.75, 0.1),
    "linear_of_a_vector": lambda f, rank, x: f.linear(f.global_mean(x), 3),
    "relu": lambda f, rank, x: f.relu(x),
    "leaky_relu": lambda f, rank, x: f.leaky_relu(x),
    "leaky_relu_of_zeros": lambda f, rank, x: f.leaky_relu(f.add(x, f.linear(f.stop_gradient(x), -1))),
    "silu": lambda f, rank, x: f.silu(x),
    "hard_swish": lambda f, rank, x: f.hard_swish(x),
    "gelu": lambda f, rank, x: f.gelu(x),
    "sigmoid": lambda f, rank, x: f.sigmoid(x),
    "hard_sigmoid": lambda f, rank, x: f.hard_sigmoid(x),
}  # fmt: skip

C = CHANNELS
PARTS: dict[str, Callable[[int], Any]] = {
    "dense_of_a_vector": lambda rank: parts.Dense(C, 4),
    "dense_of_tokens": lambda rank: parts.Dense(C, 4, bias=False),
    "conv_3": lambda rank: parts.Conv(C, 4, (3,) * rank),
    "conv_over_channels": lambda rank: parts.Conv(1, 2, (3,)),  # and back, of two channels
    "conv_strip": lambda rank: parts.Conv(C, 4, (3, *(1,) * (rank - 1)), bias=False),
    "conv_7": lambda rank: parts.Conv(C, 1, (7, 3, 1)[:rank]),
    "conv_strided": lambda rank: parts.Conv(C, 4, (3,) * rank, stride=2),
    "conv_point_strided": lambda rank: parts.Conv(C, 4, (1,) * rank, stride=2),
    "conv_same": lambda rank: parts.Conv(C, 4, (3,) * rank, padding="same"),
    "conv_same_even": lambda rank: parts.Conv(C, 4, (2, 4, 2)[:rank], padding="same", bias=False),
    "conv_same_strided": lambda rank: parts.Conv(C, 4, (3,) * rank, stride=2, padding="same"),
    "conv_same_sparse": lambda rank: parts.Conv(C, 4, (2, 1, 3)[:rank], stride=3, padding="same"),
    "conv_dilated": lambda rank: parts.Conv(C, 4, (3,) * rank, dilation=2),
    "conv_dilated_same": lambda rank: parts.Conv(C, 4, (2, 3, 2)[:rank], dilation=2, padding="same", bias=False),
    "conv_valid": lambda rank: parts.Conv(C, 4, (3, 2, 1)[:rank], padding="valid"),
    "conv_valid_strided": lambda rank: parts.Conv(C, 4, (3, 2, 1)[:rank], stride=2, padding="valid"),
    "dropout": lambda rank: parts.Dropout(0.0),
    "dropout_40": lambda rank: parts.Dropout(0.4),
    "conv_grouped": lambda rank: parts.Conv(C, 4, (3,) * rank, groups=2),
    "batch_norm": lambda rank: parts.BatchNorm(C, rank, momentum=0.3, eps=1e-3),
    "batch_norm_of_a_vector": lambda rank: parts.BatchNorm(C, 0, momentum=0.3),
    "group_norm": lambda rank: parts.GroupNorm(C, 2, eps=1e-2),
    "layer_norm": lambda rank: parts.LayerNorm(C, eps=1e-3),
    "affine": lambda rank: parts.Affine(C),
    "affine_of_a_vector": lambda rank: parts.Affine(C),
    "running": lambda rank: parts.Running((3, C), Directions(), momentum=0.2),
}


def with_running(f: Any, p: Any, x: Any) -> Any:
    """Use the array before it moves."""
    t = f.to_tokens(x)
    output = f.to_image(f.einsum("bnc,kc->bnk", t, p.part()), x)
    means = f.over_positions(f.einsum("bnk,bnc->bkc", f.einsum("bnc,kc->bnk", t, p.part()), t), t)
    p.part.update(f.stop_gradient(f.batch_mean(means)))
    return output


APPLIED: dict[str, Callable[..., Any]] = {
    "dense_of_a_vector": lambda f, p, x: p.part(f.global_mean(x)),
    "dense_of_tokens": lambda f, p, x: f.to_image(p.part(f.to_tokens(x)), x),
    "conv_over_channels": lambda f, p, x: f.depth_to_channels(p.part(f.channels_to_depth(f.global_mean(x)))),
    "batch_norm_of_a_vector": lambda f, p, x: p.part(f.global_mean(x)),
    "layer_norm": lambda f, p, x: p.part(f.global_mean(x)),
    "affine_of_a_vector": lambda f, p, x: p.part(f.global_mean(x)),
    "running": with_running,
}
