"""The mixed pooling module: cases, a recording, and figure 3 of the paper."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import conv_norm, means, relu, resize

import attn_core as core
from blocks.strip_pooling import strips

BLOCK = MIXED = core.MixedPoolingModule

CASES = {
    "mixed": Case(MIXED(4, 2, pools=(3, 2)), (2, 4, 5, 4), seed=442),
    "mixed_finer_than_the_image": Case(MIXED(4, 2, pools=(5,)), (3, 4, 3, 4), seed=129),
    "mixed_volume": Case(MIXED(2, 2, pools=(3, 2), rank=3), (2, 2, 3, 4, 3), seed=3416),
    "mixed_one_pixel": Case(MIXED(4, 2, pools=(2,), kernel=1), (6, 4, 1, 1), seed=886),
}

RECORDINGS = [Recording("official/spnet_strip_pooling_mpm", MIXED(32), "spnet.StripPooling", modes=("eval", "train"))]

EXPRESSIBLE = {
    "spnet.StripPooling": [
        (MIXED(8), {}),
        (MIXED(9, 3, pools=(3, 2), kernel=5), {"pools": (3, 2)}),
    ],
}

REFUSED = {
    "MixedPoolingModule(2)": (
        "MixedPoolingModule(channels=2, reduction=4) leaves no channel inside: reduction must lie between 1 and 2."
    ),
    "MixedPoolingModule(8, pools=(3, 0))": (
        "MixedPoolingModule(channels=8, reduction=4, pools=(3, 0)): pools must be numbers of bins, each at least 1."
    ),
}


def naive(block: core.MixedPoolingModule, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One branch after the other."""
    a = relu(conv_norm(x, w, "short_reduce", train))
    seen = conv_norm(a, w, "local", train)
    for i, bins in enumerate(block.pools):
        seen = seen + resize(conv_norm(means(a, bins), w, f"pool{i}", train), x.shape[2:])
    short = relu(conv_norm(relu(seen), w, "short_fuse", train))
    b = relu(conv_norm(x, w, "long_reduce", train))
    long = relu(conv_norm(relu(strips(b, w, train)), w, "long_fuse", train))
    return relu(x + conv_norm(np.concatenate([short, long], 1), w, "expand", train))
