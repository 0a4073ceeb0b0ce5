"""`SpatialTransformer` for Linen; see `attn_core.blocks.spatial_transformer`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_jax.linen.layer import Layer


class SpatialTransformer(Layer, of=core.SpatialTransformer):
    """Transform an image by the affine map that a small network reads from it; at the start, the identity.

    x sampled at the points theta(x) @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to (batch, *size, channels).

    **Fields**

    - ``size``, ``rank``, ``align_corners``, ``padding``: those of `AffineSampler`.
    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``features``: number of channels of the localisation network's convolution.
    - ``kernel``: length of its kernel along each axis, odd.
    - ``pooled``: number of bins along each axis.
    - ``hidden``: number of hidden units of its dense layers.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    size: Size = None
    _: KW_ONLY
    features: int = 16
    kernel: int = 5
    pooled: int = 4
    hidden: int = 32
    align_corners: bool = False
    padding: Border = "zeros"

    def configure(self, channels: int, rank: int) -> core.SpatialTransformer:
        """Return the block for this many channels and spatial axes."""
        return core.SpatialTransformer(
            channels,
            self.size,
            features=self.features,
            kernel=self.kernel,
            pooled=self.pooled,
            hidden=self.hidden,
            rank=rank,
            align_corners=self.align_corners,
            padding=self.padding,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
