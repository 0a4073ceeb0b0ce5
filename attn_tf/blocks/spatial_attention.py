"""`SpatialAttention` for Keras; see `attn_core.blocks.spatial_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class SpatialAttention(Layer, of=core.SpatialAttention):
    """Scale each pixel by a gate that a convolution computes from the channels' mean and maximum around it.

    x * sigmoid(conv([mean of channels, max of channels]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape; any number of channels, any
    size, also smaller than the kernel. With ``data_format="channels_first"``, channels come second.

    **Fields**

    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``bias``: whether the convolution has a bias.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``rank`` is read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int = 7,
        *,
        bias: bool = False,
        norm: bool = False,
        momentum: float = 0.01,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"kernel": kernel, "bias": bias, "norm": norm, "momentum": momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.SpatialAttention:
        """Return the block for this many channels and spatial axes."""
        return core.SpatialAttention(rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
