"""`GlobalResponseNorm` for Linen; see `attn_core.blocks.global_response_norm`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class GlobalResponseNorm(Layer, of=core.GlobalResponseNorm):
    """Scale each channel by its length as compared with those of the other channels, and add the image.

    gamma * x * |x_c| / (mean |x_c| + eps) + beta + x

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``eps``: added to the mean of the lengths.
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    _: KW_ONLY
    eps: float = 1e-06

    def configure(self, channels: int, rank: int) -> core.GlobalResponseNorm:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalResponseNorm(channels, eps=self.eps)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
