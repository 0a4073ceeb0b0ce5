"""`ExpectationMaximizationAttention` for Keras; see `attn_core.blocks.expectation_maximization_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ExpectationMaximizationAttention(Layer, of=core.ExpectationMaximizationAttention):
    r"""Add to the image its reconstruction from a few bases, which expectation-maximisation fits to each image.

    relu(norm(W relu(reconstruction of x from a few bases)) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``bases``: number of bases (the paper's K).
    - ``steps``: number of steps of expectation and maximisation (the paper's T).
    - ``momentum``: of the bases' moving average in PyTorch's sense, the paper's :math:`1 - \alpha`.
    - ``norm_momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 3e-4).
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        bases: int = 64,
        *,
        steps: int = 3,
        momentum: float = 0.1,
        norm_momentum: float = 0.0003,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"bases": bases, "steps": steps, "momentum": momentum, "norm_momentum": norm_momentum}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ExpectationMaximizationAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ExpectationMaximizationAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
