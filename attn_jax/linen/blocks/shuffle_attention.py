"""`ShuffleAttention` for Linen; see `attn_core.blocks.shuffle_attention`."""

from __future__ import annotations

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class ShuffleAttention(Layer, of=core.ShuffleAttention):
    """Scale half of the channels of each group as a whole and the other half pixel by pixel, then shuffle all.

    x1 * sigmoid(w1 mean(x1) + b1) and x2 * sigmoid(w2 norm(x2) + b2) of each group's halves, shuffled

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``groups``: number of groups (the paper's G); each half of a group has ``channels // (2 * groups)`` channels. None
      becomes, when the block is made, the largest number that divides both 64 (the authors') and half the channels.
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    groups: int | None = None

    def configure(self, channels: int, rank: int) -> core.ShuffleAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ShuffleAttention(channels, self.groups)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
