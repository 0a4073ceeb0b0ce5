"""`CoordinateAttention` for Keras; see `attn_core.blocks.coordinate_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.coordinate_attention import Joined
from attn_core.spec.primitives import Activation
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class CoordinateAttention(Layer, of=core.CoordinateAttention):
    """Scale an image by a gate for each row and one for each column, computed from the means along the others.

    x * sigmoid(F_h f_h) * sigmoid(F_w f_w), with f = delta(norm(F_1 [z_h, z_w]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``: there are ``channels // reduction`` hidden units (the paper's r, 32 if left out), but 8 at least.
    - ``hidden``: number of hidden units, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether the convolutions, all of one pixel, have biases.
    - ``norm``: whether the hidden units are normalised over the batch, and ``momentum`` of that (PyTorch's).
    - ``activation``: the paper's delta: "hard_swish", "relu", "silu", "gelu" or "leaky_relu".
    - ``joined``: the gate of a pixel is the "product" of sigmoids, or the sigmoid of the "sum" of what they are of.
    - ``channels`` and ``rank`` are read from the input.
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
        norm: bool = True,
        momentum: float = 0.1,
        activation: Activation = "hard_swish",
        joined: Joined = "product",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "reduction": reduction,
            "hidden": hidden,
            "bias": bias,
            "norm": norm,
            "momentum": momentum,
            "activation": activation,
            "joined": joined,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.CoordinateAttention:
        """Return the block for this many channels and spatial axes."""
        return core.CoordinateAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
