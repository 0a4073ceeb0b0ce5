"""SE-ResNet: cases, recordings, and the network layer by layer."""

from __future__ import annotations

import numpy as np
from cases import Case, Recording
from loops import batch_norm, conv, max_pool, relu

import attn_core as core
from blocks import residual_block

BLOCK = NETWORK = core.SEResNet

SE = "SqueezeExcitation(hidden=3)"

CASES = {
    "network": Case(NETWORK(3, (1, 1), False, channels=2, attention=SE, width=3), (3, 2, 14, 11), seed=620, alive=0.5),
    "network_train": Case(
        NETWORK(3, (1, 1), False, channels=1, attention=None, width=2, padding="same", momentum=0.6),
        (3, 1, 17, 12),
        seed=3,
        alive=0.5,
        train=True,
    ),
    "network_line": Case(NETWORK(2, (2,), channels=2, attention=None, width=2, rank=1), (3, 2, 19), seed=6, alive=0.5),
}

WHOLE = {"modes": ("eval", "train"), "float64_in": ("torch", "keras-tensorflow")}
RECORDINGS = [
    Recording(f"torch/003_se_resnet_{depth}", getattr(core, f"se_resnet_{depth}")(10), "seeds.SENet", **WHOLE)
    for depth in (18, 50)
]

EXPRESSIBLE = {
    "seeds.SENet": [
        (NETWORK(3, (2, 1), False, channels=2, width=16), {}),
        (NETWORK(3, (1, 2, 1), width=4), {}),
    ],
}

REFUSED = {
    "SEResNet(classes=10, depths=(2, 0))": (
        "SEResNet(classes=10, depths=(2, 0), bottleneck=True): depths must be whole numbers of at least 1."
    ),
    "SEResNet(classes=10, depths=(2, 1000000000))": (
        "SEResNet(classes=10, depths=(2, 1000000000), bottleneck=True): depths must be 1,000 in all at most."
    ),
    "SEResNet(classes=10, depths=18)": "SEResNet: depths must be tuple or list, got 18.",
}


def naive(block: core.SEResNet, w: dict[str, np.ndarray], x: np.ndarray, train: bool = False) -> np.ndarray:
    """One layer after the other, each residual block as its own file states it."""
    y = relu(batch_norm(conv(x, w["stem.weight"], 2, block.padding), w, "stem_norm", train, block.eps))
    y = max_pool(y, 3, 2, block.padding)
    for name, stage in block.parts().items():
        for place, inner in getattr(stage, "parts", dict)().items():
            prefix = f"{name}.{place}."
            own = {key.removeprefix(prefix): a for key, a in w.items() if key.startswith(prefix)}
            y = residual_block.naive(inner, own, y, train)
    return y.reshape(*y.shape[:2], -1).mean(-1) @ w["classify.weight"].T + w["classify.bias"]
