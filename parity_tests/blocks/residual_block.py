"""Residual blocks: cases, recordings, and the two figures of the papers."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv, relu

import attn_core as core
from attn_core.models.attention import attention
from blocks import cbam, squeeze_excitation

BLOCK = RESIDUAL = core.ResidualBlock

SE = "SqueezeExcitation(hidden=3)"
# `res_block2(bottom, [3, 4], ...)` of the TensorFlow article (000 in docs/articles.md)
SEED_000 = {"padding": "same", "bias": True, "relu_last": True, "momentum": 0.01, "eps": 1e-3}
BIASES = ("conv1.bias", "conv2.bias", "shortcut.bias")

CASES = {
    "residual": Case(RESIDUAL(4, 4, attention=SE), (2, 4, 3, 4), seed=11),
    "residual_train": Case(RESIDUAL(4, 4, attention=SE, momentum=0.6), (2, 4, 3, 4), seed=16, train=True),
    "residual_strided": Case(RESIDUAL(3, 4, 2, attention="CBAM(reduction=2, kernel=3)"), (2, 3, 5, 4), seed=4),
    "residual_seed_000": Case(RESIDUAL(3, 4, 2, attention=SE, hidden=3, **SEED_000), (2, 3, 6, 5), seed=69, alive=0.9),
    "residual_seed_000_train": Case(
        RESIDUAL(4, 4, attention=SE, project=True, **SEED_000), (2, 4, 4, 3), seed=86, train=True, still=BIASES
    ),
    "residual_bottleneck": Case(RESIDUAL(3, 4, 2, attention=SE, bottleneck=True, hidden=2), (3, 3, 5, 4), seed=104),
    "residual_bottleneck_train": Case(
        RESIDUAL(4, 4, bottleneck=True, hidden=3, momentum=0.6), (2, 4, 3, 4), seed=15, train=True
    ),
    "residual_preactivation": Case(
        RESIDUAL(3, 4, 2, attention=SE, preactivation=True, padding="same"), (2, 3, 6, 5), seed=45, alive=0.9
    ),
    "residual_preactivation_train": Case(
        RESIDUAL(4, 4, attention=SE, preactivation=True, momentum=0.6), (2, 4, 3, 4), seed=18, train=True
    ),
    "residual_preactivation_bottleneck": Case(
        RESIDUAL(4, 4, bottleneck=True, hidden=3, preactivation=True), (2, 4, 3, 4), seed=43
    ),
    "residual_line": Case(RESIDUAL(3, 3, attention=SE, norm=False, bias=True, rank=1), (2, 3, 5), seed=13),
    "residual_volume": Case(
        RESIDUAL(2, 3, 2, attention=SE, padding="same", rank=3), (2, 2, 3, 4, 4), seed=34, alive=0.9
    ),
}


def seed_003(folder: str, *sizes: int, some: tuple[str, ...] | None = None, **options: bool) -> Recording:
    block = RESIDUAL(*sizes, attention="se", **options)
    how = {"modes": ("eval", "train"), "dtypes": ("float64",), "float64_in": some}
    return Recording(f"torch/003_{folder}", block, f"seeds.{'Bottleneck' if block.bottleneck else 'BasicBlock'}", **how)


DEEP = {"bottleneck": True}
RECORDINGS = [
    seed_003("basic_block_p64", 64, 64),
    seed_003("basic_block_p256", 256, 256),
    seed_003("basic_block_p512", 512, 512),
    seed_003("basic_block_p128_down", 64, 128, 2),
    seed_003("basic_block_p512_down", 256, 512, 2),
    seed_003("bottleneck_p64_first", 64, 256, **DEEP),
    seed_003("bottleneck_p128", 512, 512, **DEEP),
    seed_003("bottleneck_p256_down", 512, 1024, 2, **DEEP, some=("torch", "keras-tensorflow")),
    seed_003("bottleneck_p512", 2048, 2048, **DEEP),
]

EXPRESSIBLE = {
    "seeds.BasicBlock": [
        (RESIDUAL(4, 4, attention=SE), {}),
        (RESIDUAL(32, 64, 2, attention="se", momentum=0.3), {"momentum": 0.3}),
        (RESIDUAL(3, 4, attention=SE, hidden=5), {"stride": 1}),
    ],
    "seeds.Bottleneck": [
        (RESIDUAL(16, 16, attention="se", **DEEP), {}),
        (RESIDUAL(8, 32, attention=SE, **DEEP), {}),
        (RESIDUAL(16, 32, 2, attention=SE, hidden=3, **DEEP), {}),
    ],
}

REFUSED = {
    "ResidualBlock(8, outputs=16, project=False)": (
        "ResidualBlock(channels=8, outputs=16, stride=1, project=False) cannot add its input: "
        "leave project out where channels, outputs or stride change the shape."
    ),
    "ResidualBlock(8, outputs=3, bottleneck=True)": (
        "ResidualBlock(channels=8, outputs=3, stride=1, bottleneck=True) "
        "leaves no channel between the convolutions: outputs must be at least 4."
    ),
    "ResidualBlock(8, outputs=8, hidden=0)": (
        "ResidualBlock(channels=8, outputs=8, stride=1, hidden=0) "
        "leaves no channel between the convolutions: hidden must be at least 1."
    ),
    "ResidualBlock(8, outputs=8, preactivation=True, relu_last=True)": (
        "ResidualBlock(channels=8, outputs=8, stride=1, preactivation=True, relu_last=True) "
        "has its relu before each convolution: relu_last belongs to the original order."
    ),
    "ResidualBlock(8, outputs=8, padding='valid')": (
        "ResidualBlock(channels=8, outputs=8, stride=1, padding='valid'): "
        "padding must be one of symmetric, same; got 'valid'."
    ),
    "ResidualBlock(8, outputs=8, stride=0)": (
        "ResidualBlock(channels=8, outputs=8, stride=0): stride must be at least 1."
    ),
}


def naive(block: core.ResidualBlock, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One layer after the other, as figure 2 of the first paper and figure 4e of the second have them."""

    def convolved(name: str, x: np.ndarray, stride: int = 1) -> np.ndarray:
        y = conv(x, w[f"{name}.weight"], stride, block.padding)
        bias = w.get(f"{name}.bias", np.zeros(y.shape[1]))
        return y + bias.reshape(-1, *[1] * (y.ndim - 2))

    def normalised(name: str, x: np.ndarray) -> np.ndarray:
        return batch_norm(x, w, f"{name}_norm", train, block.eps) if f"{name}_norm.weight" in w else x

    names = ["conv1", "conv2", "conv3"] if block.bottleneck else ["conv1", "conv2"]
    strides = [1, block.stride, 1] if block.bottleneck else [block.stride, 1]
    y = x
    for name, stride in zip(names, strides, strict=True):
        if block.preactivation:
            y = relu(normalised(name, y))
            shortcut = convolved("shortcut", y, block.stride) if name == "conv1" and "shortcut.weight" in w else None
            x = x if shortcut is None else shortcut
            y = convolved(name, y, stride)
        else:
            y = normalised(name, convolved(name, y, stride))
            y = relu(y) if name != names[-1] or block.relu_last else y
    y = attended(block, w, y)
    if block.preactivation:
        return y + x
    return relu(y + (normalised("shortcut", convolved("shortcut", x, block.stride)) if "shortcut.weight" in w else x))


def attended(block: core.ResidualBlock, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Apply the attention, as its own file states it."""
    inner = attention(block.attention, block.outputs, block.rank)
    own = {name.removeprefix("attention."): a for name, a in w.items() if name.startswith("attention.")}
    statement = cbam.naive if isinstance(inner, core.CBAM) else squeeze_excitation.naive
    return x if inner is None else statement(inner, own, x)
