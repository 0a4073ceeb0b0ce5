"""`MixedPoolingModule` for Keras; see `attn_core.blocks.mixed_pooling_module`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class MixedPoolingModule(Layer, of=core.MixedPoolingModule):
    """Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    relu(x + conv([short range, long range]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size, also smaller
    than the numbers of bins. With ``data_format="channels_first"``, channels come second. Only the number of channels
    must be known when the layer is built.

    **Fields**

    - ``reduction``: inside there are ``channels // reduction`` channels.
    - ``pools``: the numbers n of bins along each axis of the image.
    - ``kernel``: length of the kernels, along the strips and of K_0, K_n, K_s and K_l, odd.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        reduction: int = 4,
        *,
        pools: tuple[int, ...] = (20, 12),
        kernel: int = 3,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"reduction": reduction, "pools": pools, "kernel": kernel, "momentum": momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.MixedPoolingModule:
        """Return the block for this many channels and spatial axes."""
        return core.MixedPoolingModule(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
