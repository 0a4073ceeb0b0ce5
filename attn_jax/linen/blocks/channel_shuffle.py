"""`ChannelShuffle` for Linen; see `attn_core.blocks.channel_shuffle`."""

from __future__ import annotations

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class ChannelShuffle(Layer, of=core.ChannelShuffle):
    """Deal the channels of each group out to all groups, so that grouped convolutions in a row mix everything.

    y[i g + j] = x[j n + i], with g groups of n channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``groups``: number of groups (the paper's g); ``channels // groups`` in place of it undoes the shuffle.
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    groups: int

    def configure(self, channels: int, rank: int) -> core.ChannelShuffle:
        """Return the block for this many channels and spatial axes."""
        return core.ChannelShuffle(channels, self.groups)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
