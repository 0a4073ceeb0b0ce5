"""`Res2Bottleneck` for Keras; see `attn_core.blocks.res2_bottleneck`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class Res2Bottleneck(Layer, of=core.Res2Bottleneck):
    """Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), 4 * planes),
    of any size. With ``data_format="channels_first"``, channels come second. Only the number of channels must be known
    when the layer is built.

    **Fields**

    - ``planes``: a fourth of the channels of the output, as residual networks count.
    - ``scale``: number of pieces of `Res2Conv` (the paper's s).
    - ``base_width``: each piece has ``planes * base_width // 64`` channels (the paper's w, where planes is 64).
    - ``kernel``, ``rank``, ``stride``, ``first_of_stage``, ``momentum``: those of `Res2Conv`; ``momentum`` of all
      normalisations.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        planes: int,
        scale: int = 4,
        base_width: int = 26,
        *,
        kernel: int = 3,
        stride: int = 1,
        first_of_stage: bool = False,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "planes": planes,
            "scale": scale,
            "base_width": base_width,
            "kernel": kernel,
            "stride": stride,
            "first_of_stage": first_of_stage,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.Res2Bottleneck:
        """Return the block for this many channels and spatial axes."""
        return core.Res2Bottleneck(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
