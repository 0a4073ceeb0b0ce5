"""`ChannelShuffle` for Keras; see `attn_core.blocks.channel_shuffle`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ChannelShuffle(Layer, of=core.ChannelShuffle):
    """Deal the channels of each group out to all groups, so that grouped convolutions in a row mix everything.

    y[i g + j] = x[j n + i], with g groups of n channels

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``groups``: number of groups (the paper's g); ``channels // groups`` in place of it undoes the shuffle.
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        groups: int,
        *,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"groups": groups}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ChannelShuffle:
        """Return the block for this many channels and spatial axes."""
        return core.ChannelShuffle(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
