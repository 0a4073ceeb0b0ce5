"""`CBAM` for Linen; see `attn_core.blocks.cbam`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.linen.layer import Layer


class CBAM(Layer, of=core.CBAM):
    """Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    x' * M_s(x') with x' = x * M_c(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``, ``reduction``, ``hidden``, ``bias``, ``pools``: those of `ChannelAttention`.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``kernel``, ``rank``, ``norm``, ``momentum``: those of `SpatialAttention`; ``spatial_bias`` is its ``bias``.
    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    kernel: int = 7
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = False
    pools: Pools = "both"
    spatial_bias: bool = False
    norm: bool = False
    momentum: float = 0.01

    def configure(self, channels: int, rank: int) -> core.CBAM:
        """Return the block for this many channels and spatial axes."""
        return core.CBAM(
            channels,
            self.reduction,
            self.kernel,
            hidden=self.hidden,
            bias=self.bias,
            pools=self.pools,
            rank=rank,
            spatial_bias=self.spatial_bias,
            norm=self.norm,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
