"""`TripletAttention` for Keras; see `attn_core.blocks.triplet_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class TripletAttention(Layer, of=core.TripletAttention):
    """Scale an image by the mean of three gates: of its pixels, and of channels with columns and with rows.

    x * (g1 + g2 + g3) / 3, each the gate of CBAM's spatial attention, two of the image turned

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``kernel``: size of the convolutions along every axis, odd (the paper's k).
    - ``spatial``: whether the gate of the pixels is there.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int = 7,
        *,
        spatial: bool = True,
        momentum: float = 0.01,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"kernel": kernel, "spatial": spatial, "momentum": momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.TripletAttention:
        """Return the block for this many channels and spatial axes."""
        return core.TripletAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
