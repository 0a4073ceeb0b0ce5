"""`ChannelAttention` for NNX; see `attn_core.blocks.channel_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.nnx.layer import Layer


class ChannelAttention(Layer, of=core.ChannelAttention):
    """Scale each channel by a gate that one perceptron computes from the spatial means and from the maxima.

    x * sigmoid(W1 relu(W0 mean(x)) + W1 relu(W0 max(x)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.ChannelAttention(channels, reduction, hidden=hidden, bias=bias, pools=pools)
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
