"""`ConcurrentSqueezeExcitation` for Keras; see `attn_core.blocks.concurrent_squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.concurrent_squeeze_excitation import Joined
from attn_core.spec.primitives import Activation, Gate
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ConcurrentSqueezeExcitation(Layer, of=core.ConcurrentSqueezeExcitation):
    """Scale an image by a gate of each channel and by a gate of each pixel, and join the two: scSE.

    max(x * sigma(W2 delta(W1 mean(x) + b1) + b2), x * sigmoid(w x + b))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``, ``hidden``, ``activation``: those of `SqueezeExcitation`; half as many units by default.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: "sigmoid" or "hard_sigmoid", of the channels.
    - ``bias``: whether the dense layers and the convolution have biases.
    - ``joined``: "maximum", elementwise, or "sum".
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
        activation: Activation = "relu",
        gate: Gate = "sigmoid",
        joined: Joined = "maximum",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "reduction": reduction,
            "hidden": hidden,
            "bias": bias,
            "activation": activation,
            "gate": gate,
            "joined": joined,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ConcurrentSqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.ConcurrentSqueezeExcitation(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
