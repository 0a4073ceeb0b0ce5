"""`SimAM` for Keras; see `attn_core.blocks.sim_am`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class SimAM(Layer, of=core.SimAM):
    """Scale each number by a gate that grows with its distance from the mean of its channel; there are no weights.

    x * sigmoid((x - mean)^2 / 4 (variance + eps) + 1/2)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``eps``: added to the variance (the paper's lambda).
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        eps: float = 0.0001,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"eps": eps}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.SimAM:
        """Return the block for this many channels and spatial axes."""
        return core.SimAM(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
