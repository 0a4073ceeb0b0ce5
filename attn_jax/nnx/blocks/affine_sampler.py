"""The affine grid and sampler of spatial transformer networks for NNX; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class AffineSampler(Layer, of=core.AffineSampler):
    """Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    **Shape**: (batch, *space, channels) and theta (batch, d, d + 1), d being the number of spatial axes, to an
    image of the size asked for.

    **Fields**: see `attn_core.AffineSampler`; `dtype`, `param_dtype` and `rngs` as in Flax's own layers.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        size: int | tuple[int | None, ...] | None = None,
        *,
        rank: int = 2,
        align_corners: bool = False,
        padding: str = "zeros",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.AffineSampler(size, rank=rank, align_corners=align_corners, padding=padding)
        super().__init__(block, dtype=dtype, param_dtype=param_dtype, rngs=rngs)

    def __call__(self, x: Array, theta: Array) -> Array:
        """Compute the block's output."""
        return self.run(x, theta)
