"""`EfficientChannelAttention` for NNX; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class EfficientChannelAttention(Layer, of=core.EfficientChannelAttention):
    """Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    x * sigmoid(conv(mean(x))), along the channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**: see `attn_core.EfficientChannelAttention`; `dtype`, `param_dtype`, `axis_name` and `rngs` as in Flax's
    own layers.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        kernel: int | None = None,
        *,
        border: str = "zeros",
        hidden: int | None = None,
        bias: bool = False,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.EfficientChannelAttention(channels, kernel, border=border, hidden=hidden, bias=bias)
        super().__init__(block, dtype=dtype, param_dtype=param_dtype, axis_name=axis_name, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
