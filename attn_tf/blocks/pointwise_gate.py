"""`PointwiseGate` for Keras; see `attn_core.blocks.pointwise_gate`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class PointwiseGate(Layer, of=core.PointwiseGate):
    """Scale every number of an image by a gate that a pointwise convolution computes from its pixel.

    x * sigmoid(W x + b), at each pixel

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``bias``: whether the convolution has a bias.
    - ``shared``: whether all channels of a pixel share one gate: the spatial half of scSE, called sSE.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        bias: bool = True,
        shared: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"bias": bias, "shared": shared}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.PointwiseGate:
        """Return the block for this many channels and spatial axes."""
        return core.PointwiseGate(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
