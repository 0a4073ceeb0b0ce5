"""`EfficientChannelAttention` for Linen; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.efficient_channel_attention import Border
from attn_jax.linen.layer import Layer


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
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    kernel: int | None = None
    _: KW_ONLY
    border: Border = "zeros"
    hidden: int | None = None
    bias: bool = False

    def configure(self, channels: int, rank: int) -> core.EfficientChannelAttention:
        """Return the block for this many channels and spatial axes."""
        return core.EfficientChannelAttention(
            channels, self.kernel, border=self.border, hidden=self.hidden, bias=self.bias
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
