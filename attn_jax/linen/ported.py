"""Running a ported network in Linen, to compare it with the graph it comes from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.ported import Found, Pulls, imported
from attn_jax import ported


def run(path: str, images: list[NDArray[np.float64]], cotangents: Pulls, rank: int = 4) -> list[Found]:
    """Run the network of a `model.py` on canonical images, in float32 and in float64."""
    network, variables = imported(path).load()
    return ported.run(network.apply, variables, images, cotangents, rank)
