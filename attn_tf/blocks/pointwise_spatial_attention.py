"""`PointwiseSpatialAttention` for Keras; see `attn_core.blocks.pointwise_spatial_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.pointwise_spatial_attention import Mode
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class PointwiseSpatialAttention(Layer, of=core.PointwiseSpatialAttention):
    """Append to each pixel what it collects from all positions, and what all positions distribute to it.

    [x, relu(norm(W [collected, distributed]))]

    **Shape**: image (batch, *size, channels) to (batch, *size, 2 channels); the maps fit images of this size only. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``size``: the image's number of pixels along each axis, or along all where it is one number (the paper's H, W).
    - ``hidden``: number of channels of x (the paper's C_2); a quarter of ``channels`` where None, as in the authors'
      code.
    - ``mode``: the branches: "both", "collect" or "distribute".
    - ``softmax``: whether the attentions that a position i gives to all j are those of a softmax over j, in place of
      the division by N.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        size: int | tuple[int, ...],
        *,
        hidden: int | None = None,
        mode: Mode = "both",
        softmax: bool = False,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"size": size, "hidden": hidden, "mode": mode, "softmax": softmax, "momentum": momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.PointwiseSpatialAttention:
        """Return the block for this many channels and spatial axes."""
        return core.PointwiseSpatialAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
