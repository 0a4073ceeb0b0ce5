"""`PointwiseSpatialAttention` for Linen; see `attn_core.blocks.pointwise_spatial_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.pointwise_spatial_attention import Mode
from attn_jax.linen.layer import Layer


class PointwiseSpatialAttention(Layer, of=core.PointwiseSpatialAttention):
    """Append to each pixel what it collects from all positions, and what all positions distribute to it.

    [x, relu(norm(W [collected, distributed]))]

    **Shape**: image (batch, *size, channels) to (batch, *size, 2 channels); the maps fit images of this size only.

    **Fields**

    - ``size``: the image's number of pixels along each axis, or along all where it is one number (the paper's H, W).
    - ``hidden``: number of channels of x (the paper's C_2); a quarter of ``channels`` where None, as in the authors'
      code.
    - ``mode``: the branches: "both", "collect" or "distribute".
    - ``softmax``: whether the attentions that a position i gives to all j are those of a softmax over j, in place of
      the division by N.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    size: int | tuple[int, ...]
    _: KW_ONLY
    hidden: int | None = None
    mode: Mode = "both"
    softmax: bool = False
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.PointwiseSpatialAttention:
        """Return the block for this many channels and spatial axes."""
        return core.PointwiseSpatialAttention(
            channels,
            self.size,
            hidden=self.hidden,
            mode=self.mode,
            softmax=self.softmax,
            rank=rank,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
