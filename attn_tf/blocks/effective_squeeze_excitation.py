"""`EffectiveSqueezeExcitation` for Keras; see `attn_core.blocks.effective_squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.spec.primitives import Gate
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class EffectiveSqueezeExcitation(Layer, of=core.EffectiveSqueezeExcitation):
    """Scale each channel by a gate that one dense layer computes from the spatial means of all channels.

    x * sigma(W mean(x) + b)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``bias``: whether the dense layer has a bias.
    - ``gate``: the paper's sigma: "hard_sigmoid" or "sigmoid".
    - ``channels`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        *,
        bias: bool = True,
        gate: Gate = "hard_sigmoid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"bias": bias, "gate": gate}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.EffectiveSqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.EffectiveSqueezeExcitation(channels, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
