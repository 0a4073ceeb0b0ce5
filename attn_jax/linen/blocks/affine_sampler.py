"""`AffineSampler` for Linen; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_jax.linen.layer import Layer


class AffineSampler(Layer, of=core.AffineSampler):
    """Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and theta (batch, rank, rank + 1), to
    (batch, *size, channels). In any layout of the image, theta's rows and columns are x, y, ...: the last spatial axis
    (the width) comes first.

    **Fields**

    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``rank`` is read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    size: Size = None
    _: KW_ONLY
    align_corners: bool = False
    padding: Border = "zeros"

    def configure(self, channels: int, rank: int) -> core.AffineSampler:
        """Return the block for this many channels and spatial axes."""
        return core.AffineSampler(self.size, rank=rank, align_corners=self.align_corners, padding=self.padding)

    def __call__(self, x: Array, theta: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, theta, train=train)
