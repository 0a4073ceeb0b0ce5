"""`EfficientChannelAttention` for Keras; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class EfficientChannelAttention(Layer, of=core.EfficientChannelAttention):
    """Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    x * sigmoid(conv(mean(x))), along the channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**: see `attn_core.EfficientChannelAttention`; channels are read from the input.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int | None = None,
        *,
        border: str = "zeros",
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
