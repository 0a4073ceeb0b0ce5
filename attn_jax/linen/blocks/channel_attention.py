"""`ChannelAttention` for Linen; see `attn_core.blocks.channel_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.linen.layer import Layer


class ChannelAttention(Layer, of=core.ChannelAttention):
    """Scale each channel by a gate that one perceptron computes from the spatial means and from the maxima.

    x * sigmoid(W1 relu(W0 mean(x)) + W1 relu(W0 max(x)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = False
    pools: Pools = "both"

    def configure(self, channels: int, rank: int) -> core.ChannelAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ChannelAttention(channels, self.reduction, hidden=self.hidden, bias=self.bias, pools=self.pools)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
