"""`GridSampler` for NNX; see `attn_core.blocks.grid_sampler`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class GridSampler(Layer, of=core.GridSampler):
    """Sample an image at points that are given, one for each pixel of the output.

    x sampled at the points of the grid

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and grid (batch, *size, rank), to
    (batch, *size, channels). The grid is the same array for an image of the layout BCHW, which is PyTorch's, and of
    BHWD, which is that of Keras and Flax.

    **Fields**

    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``order``: of a point's coordinates: "xy", that of the last spatial axis (the width) first, as in PyTorch's
      `grid_sample`; or "yx", that of the first spatial axis first.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        rank: int = 2,
        order: str = "xy",
        align_corners: bool = False,
        padding: str = "zeros",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.GridSampler(rank=rank, order=order, align_corners=align_corners, padding=padding)
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

    def __call__(self, x: Array, grid: Array) -> Array:
        """Compute the block's output."""
        return self.run(x, grid)
