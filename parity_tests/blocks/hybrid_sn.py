"""HybridSN: cases, recordings, and the network layer by layer."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv, relu

import attn_core as core
from blocks import squeeze_excitation

BLOCK = HYBRID = core.HybridSN

SE = {"attention": "SqueezeExcitation(hidden=3)"}
SMALL = {"hidden": (4, 3), "filters": (2, 3, 2, 3), "dropout": 0.0}
PLANES = SMALL | {"filters": (2, 2, 2, 13)}
BIASES = ("cube1.bias", "cube2.bias", "cube3.bias", "plane.bias")

CASES = {
    "hybrid": Case(HYBRID(13, 9, 3, **SMALL), (3, 1, 13, 9, 9), seed=1, alive=0.5),
    "hybrid_attention": Case(HYBRID(14, 9, 3, relu=False, **SE, **SMALL), (2, 1, 14, 9, 9), seed=384, alive=0.5),
    "hybrid_train": Case(
        HYBRID(13, 10, 2, norm=True, relu=False, momentum=0.6, **SE, **SMALL),
        (3, 1, 13, 10, 10),
        seed=638,
        alive=0.5,
        train=True,
        still=BIASES,
        dtypes=("float64",),
    ),
    "hybrid_2d_first": Case(
        HYBRID(2, 9, 3, order="2d_first", relu=False, **SE, **PLANES), (2, 1, 2, 9, 9), seed=82, alive=0.5
    ),
}

ATTENTION = core.hybrid_sn_attention(30, 25, dropout=0.0)
PLANAR_FIRST = core.hybrid_sn_2d_first(
    30, 25, dropout=0.0
)  # 123 million weights: too many for float64 beside the other processes of a test run
BOTH = ("eval", "train")
SEED, STILL = "seeds.HybridSN", {"dropout": 0.0}
SOME = ("torch", "keras-tensorflow")
RECORDINGS = [
    Recording("torch/003_hybridsn_attention", ATTENTION, SEED, STILL, modes=BOTH, float64_in=SOME),
    Recording("torch/003_hybridsn_2d_first", PLANAR_FIRST, SEED, STILL, modes=BOTH, dtypes=("float32",)),
]

FEW = {"hidden": (4, 3), "filters": (2, 3, 2, 3), "norm": True, "relu": False}
EXPRESSIBLE = {
    "seeds.HybridSN": [
        (HYBRID(14, 9, 3, dropout=0.1, **SE, **FEW), {}),
        (HYBRID(2, 10, 3, order="2d_first", dropout=0.2, **FEW | {"filters": (2, 2, 3, 13)}), {"dropout": 0.2}),
    ],
}

REFUSED = {
    "HybridSN(bands=12, size=9)": "HybridSN(bands=12, size=9, classes=16) leaves no band: bands must be at least 13.",
    "HybridSN(bands=1, size=9, order='2d_first', filters=[8, 16, 32, 12])": (
        "HybridSN(bands=1, size=9, classes=16, order='2d_first', filters=(8, 16, 32, 12)) leaves no band: "
        "the last of filters must be at least 13."
    ),
    "HybridSN(bands=30, size=8)": "HybridSN(bands=30, size=8, classes=16) leaves no pixel: size must be at least 9.",
    "HybridSN(bands=30, size=9, dropout=1)": (
        "HybridSN(bands=30, size=9, classes=16, dropout=1): dropout must be at least 0 and less than 1."
    ),
    "HybridSN(bands=30, size=9, hidden=(256,))": (
        "HybridSN(bands=30, size=9, classes=16, hidden=(256,)): hidden must be two numbers of at least 1."
    ),
}


def naive(block: core.HybridSN, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One layer after the other."""

    def convolved(name: str, x: np.ndarray) -> np.ndarray:
        y = conv(x, w[f"{name}.weight"], 1, "valid")
        y = y + w[f"{name}.bias"].reshape(-1, *[1] * (y.ndim - 2))
        return relu(batch_norm(y, w, f"{name}_norm", train) if block.norm else y)

    def attended(name: str, x: np.ndarray) -> np.ndarray:
        own = {key.removeprefix(f"{name}."): a for key, a in w.items() if key.startswith(f"{name}.")}
        return squeeze_excitation.naive(block.parts()[name], own, x) if own else x

    def cubes(x: np.ndarray) -> np.ndarray:
        for i in range(1, 4):
            x = convolved(f"cube{i}", x)
        return x

    if block.order == "2d_first":
        planes = attended("plane_attention", convolved("plane", x[:, 0]))
        y = attended("cube_attention", cubes(planes[:, None]))
    else:
        y = cubes(x)
        y = attended("cube_attention", np.concatenate([y[:, c] for c in range(y.shape[1])], axis=1))
        y = attended("plane_attention", convolved("plane", y))
    y = y.reshape(len(y), -1)
    for name in ("dense1", "dense2"):
        y = y @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        y = relu(y) if block.relu else y
    return y @ w["classify.weight"].T + w["classify.bias"]
