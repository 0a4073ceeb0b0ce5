"""Running a ported network in NNX, to compare it with the graph it comes from."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from attn_core.porting.ported import Found, Pulls, imported
from attn_jax import ported


def run(path: str, images: list[NDArray[np.float64]], cotangents: Pulls, rank: int = 4) -> list[Found]:
    """Run the network of a `model.py` on canonical images, in float32 and in float64."""
    graph, state = nnx.split(imported(path).load())

    def apply(weights: Any, x: jax.Array) -> jax.Array:
        output: jax.Array = nnx.merge(graph, weights)(x)
        return output

    return ported.run(apply, state, images, cotangents, rank)
