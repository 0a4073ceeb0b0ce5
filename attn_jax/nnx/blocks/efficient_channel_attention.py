"""`EfficientChannelAttention` for NNX; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.efficient_channel_attention import Border
from attn_jax.nnx.layer import Layer


class EfficientChannelAttention(Layer, of=core.EfficientChannelAttention):
    """Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    x * sigmoid(conv(mean(x))), along the channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), which says k where ``kernel`` does not.
    - ``kernel``: length of the convolution along the channels, odd (the paper's k); None becomes the number of the
      paper's rule when the block is made.
    - ``border``: what is beyond the first and the last channel: "zeros", or, "circular", the channels of the other end.
    - ``hidden``: how many numbers a first layer makes of each channel's mean, before a relu; None: there is no such
      layer.
    - ``bias``: whether the convolution, and the first layer if there is one, have biases.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        kernel: int | None = None,
        *,
        border: Border = "zeros",
        hidden: int | None = None,
        bias: bool = False,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.EfficientChannelAttention(channels, kernel, border=border, hidden=hidden, bias=bias)
        super().__init__(
            block,
            dtype=dtype,
            param_dtype=param_dtype,
            axis_name=axis_name,
            kernel_init=kernel_init,
            bias_init=bias_init,
            precision=precision,
            promote_dtype=promote_dtype,
            rngs=rngs,
        )

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
