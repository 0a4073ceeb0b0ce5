"""`ChannelAttention` for Keras; see `attn_core.blocks.channel_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ChannelAttention(Layer, of=core.ChannelAttention):
    """Scale each channel by a gate that one perceptron computes from the spatial means and from the maxima.

    x * sigmoid(W1 relu(W0 mean(x)) + W1 relu(W0 max(x)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"reduction": reduction, "hidden": hidden, "bias": bias, "pools": pools}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ChannelAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ChannelAttention(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
