"""`CBAM` for Keras; see `attn_core.blocks.cbam`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class CBAM(Layer, of=core.CBAM):
    """Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    x' * M_s(x') with x' = x * M_c(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``channels``, ``reduction``, ``hidden``, ``bias``, ``pools``: those of `ChannelAttention`.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``kernel``, ``rank``, ``norm``, ``momentum``: those of `SpatialAttention`; ``spatial_bias`` is its ``bias``.
    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        reduction: int | None = None,
        kernel: int = 7,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
        spatial_bias: bool = False,
        norm: bool = False,
        momentum: float = 0.01,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "reduction": reduction,
            "kernel": kernel,
            "hidden": hidden,
            "bias": bias,
            "pools": pools,
            "spatial_bias": spatial_bias,
            "norm": norm,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.CBAM:
        """Return the block for this many channels and spatial axes."""
        return core.CBAM(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
