"""`SpatialAttention` for Linen; see `attn_core.blocks.spatial_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class SpatialAttention(Layer, of=core.SpatialAttention):
    """Scale each pixel by a gate that a convolution computes from the channels' mean and maximum around it.

    x * sigmoid(conv([mean of channels, max of channels]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape; any number of channels, any
    size, also smaller than the kernel.

    **Fields**

    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``bias``: whether the convolution has a bias.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``rank`` is read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    kernel: int = 7
    _: KW_ONLY
    bias: bool = False
    norm: bool = False
    momentum: float = 0.01

    def configure(self, channels: int, rank: int) -> core.SpatialAttention:
        """Return the block for this many channels and spatial axes."""
        return core.SpatialAttention(self.kernel, rank=rank, bias=self.bias, norm=self.norm, momentum=self.momentum)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
