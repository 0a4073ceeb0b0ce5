"""`PointwiseSpatialAttention` for NNX; see `attn_core.blocks.pointwise_spatial_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class PointwiseSpatialAttention(Layer, of=core.PointwiseSpatialAttention):
    """Append to each pixel what it collects from all positions, and what all positions distribute to it.

    [x, relu(norm(W [collected, distributed]))]

    **Shape**: image (batch, *size, channels) to (batch, *size, 2 channels); the maps fit images of this size only.

    **Fields**: see `attn_core.PointwiseSpatialAttention`; `dtype`, `param_dtype`, `axis_name` and `rngs` as in Flax's
    own layers.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        size: int | tuple[int, ...],
        *,
        hidden: int | None = None,
        mode: str = "both",
        softmax: bool = False,
        rank: int = 2,
        momentum: float = 0.1,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.PointwiseSpatialAttention(
            channels, size, hidden=hidden, mode=mode, softmax=softmax, rank=rank, momentum=momentum
        )
        super().__init__(block, dtype=dtype, param_dtype=param_dtype, axis_name=axis_name, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
