"""`EfficientMultiScaleAttention` for Keras; see `attn_core.blocks.efficient_multi_scale_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class EfficientMultiScaleAttention(Layer, of=core.EfficientMultiScaleAttention):
    """Scale each group of channels by a map in which a pointwise and a 3x3 branch weigh each other's channels: EMA.

    x * sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), for each group of channels, with a = norm(x * sigmoid(row
    means) * sigmoid(column means)) and b = conv(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``channels``: number of channels (the paper's C), a multiple of ``groups``.
    - ``groups``: number of groups (the paper's G, the authors' ``factor``); None becomes, when the block is made, the
      largest number up to 32 that divides the channels and leaves two of them or more in a group.
    - ``channels`` and ``rank`` are read from the input.
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

    def configure(self, channels: int, rank: int) -> core.EfficientMultiScaleAttention:
        """Return the block for this many channels and spatial axes."""
        return core.EfficientMultiScaleAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
