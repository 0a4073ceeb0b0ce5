"""`AffineSampler` for Keras; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class AffineSampler(Layer, of=core.AffineSampler):
    """Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, and theta (batch, rank, rank + 1), to
    (batch, *size, channels). In any layout of the image, theta's rows and columns are x, y, ...: the last spatial axis
    (the width) comes first. With ``data_format="channels_first"``, channels come second.

    **Fields**

    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
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
        size: Size = None,
        *,
        align_corners: bool = False,
        padding: Border = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"size": size, "align_corners": align_corners, "padding": padding}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.AffineSampler:
        """Return the block for this many channels and spatial axes."""
        return core.AffineSampler(rank=rank, **self.options)

    def call(self, x: Any, theta: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x, theta)
