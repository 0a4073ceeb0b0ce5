"""`EfficientChannelAttention` for Keras; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.efficient_channel_attention import Border
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class EfficientChannelAttention(Layer, of=core.EfficientChannelAttention):
    """Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    x * sigmoid(conv(mean(x))), along the channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``channels``: number of channels (the paper's C), which says k where ``kernel`` does not.
    - ``kernel``: length of the convolution along the channels, odd (the paper's k); None becomes the number of the
      paper's rule when the block is made.
    - ``border``: what is beyond the first and the last channel: "zeros", or, "circular", the channels of the other end.
    - ``hidden``: how many numbers a first layer makes of each channel's mean, before a relu; None: there is no such
      layer.
    - ``bias``: whether the convolution, and the first layer if there is one, have biases.
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int | None = None,
        *,
        border: Border = "zeros",
        hidden: int | None = None,
        bias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"kernel": kernel, "border": border, "hidden": hidden, "bias": bias}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.EfficientChannelAttention:
        """Return the block for this many channels and spatial axes."""
        return core.EfficientChannelAttention(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
