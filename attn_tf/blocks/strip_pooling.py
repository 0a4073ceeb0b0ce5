"""`StripPooling` for Keras; see `attn_core.blocks.strip_pooling`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class StripPooling(Layer, of=core.StripPooling):
    """Scale each number by a gate computed from the mean of its row and the mean of its column.

    x * sigmoid(f(conv(means of rows) + conv(means of columns)))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``kernel``: length of the convolutions along the strips, odd (the paper's 3).
    - ``bias``: whether f has a bias.
    - ``norm``: whether batch normalisation follows each convolution along a strip, as in the authors' code.
    - ``relu``: whether f sees relu(y), as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int = 3,
        *,
        bias: bool = True,
        norm: bool = False,
        relu: bool = False,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"kernel": kernel, "bias": bias, "norm": norm, "relu": relu, "momentum": momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.StripPooling:
        """Return the block for this many channels and spatial axes."""
        return core.StripPooling(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
