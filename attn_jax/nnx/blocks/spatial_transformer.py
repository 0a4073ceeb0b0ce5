"""`SpatialTransformer` for NNX; see `attn_core.blocks.spatial_transformer`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_jax.nnx.layer import Layer


class SpatialTransformer(Layer, of=core.SpatialTransformer):
    """Transform an image by the affine map that a small network reads from it; at the start, the identity.

    x sampled at the points theta(x) @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to (batch, *size, channels).

    **Fields**: see `attn_core.SpatialTransformer`; `dtype`, `param_dtype`, `axis_name` and `rngs` as in Flax's own
    layers.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        size: Size = None,
        *,
        features: int = 16,
        kernel: int = 5,
        pooled: int = 4,
        hidden: int = 32,
        rank: int = 2,
        align_corners: bool = False,
        padding: str = "zeros",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.SpatialTransformer(
            channels,
            size,
            features=features,
            kernel=kernel,
            pooled=pooled,
            hidden=hidden,
            rank=rank,
            align_corners=align_corners,
            padding=padding,
        )
        super().__init__(block, dtype=dtype, param_dtype=param_dtype, axis_name=axis_name, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
