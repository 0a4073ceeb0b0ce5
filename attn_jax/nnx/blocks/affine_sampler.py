"""`AffineSampler` for NNX; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_jax.nnx.layer import Layer


class AffineSampler(Layer, of=core.AffineSampler):
    """Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and theta (batch, rank, rank + 1), to
    (batch, *size, channels). In any layout of the image, theta's rows and columns are x, y, ...: the last spatial axis
    (the width) comes first.

    **Fields**

    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        size: Size = None,
        *,
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
        block = core.AffineSampler(size, rank=rank, align_corners=align_corners, padding=padding)
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

    def __call__(self, x: Array, theta: Array) -> Array:
        """Compute the block's output."""
        return self.run(x, theta)
