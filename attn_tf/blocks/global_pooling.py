"""`GlobalPooling` for Keras; see `attn_core.blocks.global_pooling`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class GlobalPooling(Layer, of=core.GlobalPooling):
    """Reduce each channel to its mean over all pixels, or its maximum, or first all means, then all maxima.

    [mean(x), max(x)]

    **Shape**: image (batch, *space, channels), of any number of spatial axes from one and any size, to
    (batch, channels), or (batch, 2 channels) with both. With ``data_format="channels_first"``, channels come second.

    **Fields**

    - ``pools``: "mean", "max" or "both".
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        pools: Pools = "both",
        *,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"pools": pools}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.GlobalPooling:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalPooling(**self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
