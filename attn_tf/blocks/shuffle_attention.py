"""`ShuffleAttention` for Keras; see `attn_core.blocks.shuffle_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ShuffleAttention(Layer, of=core.ShuffleAttention):
    """Scale half of the channels of each group as a whole and the other half pixel by pixel, then shuffle all.

    x1 * sigmoid(w1 mean(x1) + b1) and x2 * sigmoid(w2 norm(x2) + b2) of each group's halves, shuffled

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``groups``: number of groups (the paper's G); each half of a group has ``channels // (2 * groups)`` channels. None
      becomes, when the block is made, the largest number that divides both 64 (the authors') and half the channels.
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        groups: int | None = None,
        *,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"groups": groups}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ShuffleAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ShuffleAttention(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
