"""`GridSampler` for Keras; see `attn_core.blocks.grid_sampler`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class GridSampler(Layer, of=core.GridSampler):
    """Sample an image at points that are given, one for each pixel of the output.

    x sampled at the points of the grid

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and grid (batch, *size, rank), to
    (batch, *size, channels). The grid is the same array for an image of the layout BCHW, which is PyTorch's, and of
    BHWD, which is that of Keras and Flax. With ``data_format="channels_first"``, channels come second.

    **Fields**

    - ``order``: of a point's coordinates: "xy", that of the last spatial axis (the width) first, as in PyTorch's
      `grid_sample`; or "yx", that of the first spatial axis first.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``rank`` is read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        order: str = "xy",
        align_corners: bool = False,
        padding: str = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"order": order, "align_corners": align_corners, "padding": padding}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.GridSampler:
        """Return the block for this many channels and spatial axes."""
        return core.GridSampler(rank=rank, **self.options)

    def call(self, x: Any, grid: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x, grid)
