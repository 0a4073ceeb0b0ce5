"""`SpatialTransformer` for NNX; see `attn_core.blocks.spatial_transformer`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_jax.nnx.layer import Layer


class SpatialTransformer(Layer, of=core.SpatialTransformer):
    """Transform an image by the affine map that a small network reads from it; at the start, the identity.

    x sampled at the points theta(x) @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to (batch, *size, channels).

    **Fields**

    - ``channels``: number of channels.
    - ``size``, ``rank``, ``align_corners``, ``padding``: those of `AffineSampler`.
    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``features``: number of channels of the localisation network's convolution.
    - ``kernel``: length of its kernel along each axis, odd.
    - ``pooled``: number of bins along each axis.
    - ``hidden``: number of hidden units of its dense layers.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        size: Size = None,
        *,
        features: int = 16,
        kernel: int = 5,
        pooled: int = 4,
        hidden: int = 32,
        rank: int = 2,
        align_corners: bool = False,
        padding: Border = "zeros",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.SpatialTransformer(
            channels,
            size,
            features=features,
            kernel=kernel,
            pooled=pooled,
            hidden=hidden,
            rank=rank,
            align_corners=align_corners,
            padding=padding,
        )
        super().__init__(
            block,
            dtype=dtype,
            param_dtype=param_dtype,
            axis_name=axis_name,
            kernel_init=kernel_init,
            bias_init=bias_init,
            precision=precision,
            promote_dtype=promote_dtype,
            rngs=rngs,
        )

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
