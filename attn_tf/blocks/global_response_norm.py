"""`GlobalResponseNorm` for Keras; see `attn_core.blocks.global_response_norm`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class GlobalResponseNorm(Layer, of=core.GlobalResponseNorm):
    """Scale each channel by its length as compared with those of the other channels, and add the image.

    gamma * x * |x_c| / (mean |x_c| + eps) + beta + x

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``eps``: added to the mean of the lengths.
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        eps: float = 1e-06,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"eps": eps}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.GlobalResponseNorm:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalResponseNorm(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
