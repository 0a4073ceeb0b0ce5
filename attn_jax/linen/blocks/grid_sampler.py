"""`GridSampler` for Linen; see `attn_core.blocks.grid_sampler`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class GridSampler(Layer, of=core.GridSampler):
    """Sample an image at points that are given, one for each pixel of the output.

    x sampled at the points of the grid

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and grid (batch, *size, rank), to
    (batch, *size, channels). The grid is the same array for an image of the layout BCHW, which is PyTorch's, and of
    BHWD, which is that of Keras and Flax.

    **Fields**

    - ``order``: of a point's coordinates: "xy", that of the last spatial axis (the width) first, as in PyTorch's
      `grid_sample`; or "yx", that of the first spatial axis first.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``rank`` is read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    _: KW_ONLY
    order: str = "xy"
    align_corners: bool = False
    padding: str = "zeros"

    def configure(self, channels: int, rank: int) -> core.GridSampler:
        """Return the block for this many channels and spatial axes."""
        return core.GridSampler(rank=rank, order=self.order, align_corners=self.align_corners, padding=self.padding)

    def __call__(self, x: Array, grid: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, grid, train=train)
