"""`EfficientMultiScaleAttention` for Linen; see `attn_core.blocks.efficient_multi_scale_attention`."""

from __future__ import annotations

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class EfficientMultiScaleAttention(Layer, of=core.EfficientMultiScaleAttention):
    """Scale each group of channels by a map in which a pointwise and a 3x3 branch weigh each other's channels: EMA.

    x * sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), for each group of channels, with a = norm(x * sigmoid(row
    means) * sigmoid(column means)) and b = conv(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), a multiple of ``groups``.
    - ``groups``: number of groups (the paper's G, the authors' ``factor``); None becomes, when the block is made, the
      largest number up to 32 that divides the channels and leaves two of them or more in a group.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    groups: int | None = None

    def configure(self, channels: int, rank: int) -> core.EfficientMultiScaleAttention:
        """Return the block for this many channels and spatial axes."""
        return core.EfficientMultiScaleAttention(channels, self.groups, rank=rank)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
