"""`SpatialTransformer` for Keras; see `attn_core.blocks.spatial_transformer`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.spec.primitives import Border
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class SpatialTransformer(Layer, of=core.SpatialTransformer):
    """Transform an image by the affine map that a small network reads from it; at the start, the identity.

    x sampled at the points theta(x) @ (x, y, ..., 1)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to (batch, *size, channels). With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

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
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        size: Size = None,
        *,
        features: int = 16,
        kernel: int = 5,
        pooled: int = 4,
        hidden: int = 32,
        align_corners: bool = False,
        padding: Border = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "size": size,
            "features": features,
            "kernel": kernel,
            "pooled": pooled,
            "hidden": hidden,
            "align_corners": align_corners,
            "padding": padding,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.SpatialTransformer:
        """Return the block for this many channels and spatial axes."""
        return core.SpatialTransformer(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
