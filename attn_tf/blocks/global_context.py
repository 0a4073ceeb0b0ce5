"""`GlobalContext` for Keras; see `attn_core.blocks.global_context`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.global_context import Fusion, Pool
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class GlobalContext(Layer, of=core.GlobalContext):
    """Add to each pixel, or scale its channels by, what two layers make of one weighted mean of all pixels.

    x + W2 relu(norm(W1 (sum over j of softmax(W_k x)_j x_j)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``: each t has ``channels // reduction`` hidden units (the paper's r); left out, it is 16 or, of fewer
      channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether the dense layers have biases; that of W_k has no effect, but is in other people's weights.
    - ``pool``: how c is made: with "attention", or as the plain "mean".
    - ``fusion``: what is done with t(c): "add", "scale" or "both".
    - ``eps``: what LN adds to the variance (1e-6 in timm).
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        pool: Pool = "attention",
        fusion: Fusion = "add",
        eps: float = 1e-05,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"reduction": reduction, "hidden": hidden, "bias": bias, "pool": pool, "fusion": fusion, "eps": eps}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.GlobalContext:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalContext(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
