"""`TripletAttention` for Linen; see `attn_core.blocks.triplet_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class TripletAttention(Layer, of=core.TripletAttention):
    """Scale an image by the mean of three gates: of its pixels, and of channels with columns and with rows.

    x * (g1 + g2 + g3) / 3, each the gate of CBAM's spatial attention, two of the image turned

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``kernel``: size of the convolutions along every axis, odd (the paper's k).
    - ``spatial``: whether the gate of the pixels is there.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    kernel: int = 7
    _: KW_ONLY
    spatial: bool = True
    momentum: float = 0.01

    def configure(self, channels: int, rank: int) -> core.TripletAttention:
        """Return the block for this many channels and spatial axes."""
        return core.TripletAttention(channels, self.kernel, rank=rank, spatial=self.spatial, momentum=self.momentum)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
