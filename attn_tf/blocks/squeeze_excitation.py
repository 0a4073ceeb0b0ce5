"""`SqueezeExcitation` for Keras; see `attn_core.blocks.squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.spec.primitives import Activation, GateOrRelu
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class SqueezeExcitation(Layer, of=core.SqueezeExcitation):
    """Scale each channel by a gate computed from the spatial means of all channels.

    x * sigma(W2 delta(W1 mean(x) + b1) + b2)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both dense layers have a bias.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: the paper's sigma: "sigmoid", "hard_sigmoid" (MobileNetV3) or "relu" (MONAI's `ResidualSELayer`).
    - ``norm``: whether hidden units are normalised over the batch before delta (ReXNet), and ``momentum`` of that
      (PyTorch's).
    - ``residual``: whether the image is added to the scaled one (MONAI's `ResidualSELayer`).
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
        activation: Activation = "relu",
        gate: GateOrRelu = "sigmoid",
        norm: bool = False,
        momentum: float = 0.1,
        residual: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "reduction": reduction,
            "hidden": hidden,
            "bias": bias,
            "activation": activation,
            "gate": gate,
            "norm": norm,
            "momentum": momentum,
            "residual": residual,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.SqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.SqueezeExcitation(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
