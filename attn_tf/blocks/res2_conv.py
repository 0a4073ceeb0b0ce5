"""`Res2Conv` for Keras; see `attn_core.blocks.res2_conv`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class Res2Conv(Layer, of=core.Res2Conv):
    """Convolve the channels piece by piece, each piece together with the result of the one before.

    y[i] = conv(x[i] + y[i - 1])

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), channels), of
    any size. With ``data_format="channels_first"``, channels come second. Only the number of channels must be known
    when the layer is built.

    **Fields**

    - ``scale``: number of pieces (the paper's s); one piece is convolved.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``norm``: whether batch normalisation follows each convolution; otherwise the convolutions have biases.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        scale: int = 4,
        *,
        kernel: int = 3,
        stride: int = 1,
        first_of_stage: bool = False,
        norm: bool = True,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "scale": scale,
            "kernel": kernel,
            "stride": stride,
            "first_of_stage": first_of_stage,
            "norm": norm,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.Res2Conv:
        """Return the block for this many channels and spatial axes."""
        return core.Res2Conv(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
