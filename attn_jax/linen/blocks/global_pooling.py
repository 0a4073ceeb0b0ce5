"""`GlobalPooling` for Linen; see `attn_core.blocks.global_pooling`."""

from __future__ import annotations

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.linen.layer import Layer


class GlobalPooling(Layer, of=core.GlobalPooling):
    """Reduce each channel to its mean over all pixels, or its maximum, or first all means, then all maxima.

    [mean(x), max(x)]

    **Shape**: image (batch, *space, channels), of any number of spatial axes from one and any size, to
    (batch, channels), or (batch, 2 channels) with both.

    **Fields**

    - ``pools``: "mean", "max" or "both".
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    pools: Pools = "both"

    def configure(self, channels: int, rank: int) -> core.GlobalPooling:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalPooling(self.pools)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
