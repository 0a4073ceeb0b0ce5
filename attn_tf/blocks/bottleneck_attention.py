"""`BottleneckAttention` for Keras; see `attn_core.blocks.bottleneck_attention`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.bottleneck_attention import Joined
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class BottleneckAttention(Layer, of=core.BottleneckAttention):
    """Add to an image itself, scaled by a gate that joins one number for each channel and one for each pixel: BAM.

    x * (1 + sigmoid(M_c * M_s)), with M_c = W2 relu(norm(W1 mean(x))) and M_s = convolutions of x

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size. With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``reduction``: there are ``channels // reduction`` hidden units, and hidden channels (the paper's r); left out, it
      is 16 or, of fewer channels, their number.
    - ``hidden``: their number, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether dense layers and convolutions have biases.
    - ``dilation``: how many pixels the numbers of the 3 x 3 kernels are apart (the paper's d).
    - ``depth``: how many such convolutions there are.
    - ``joined``: "product" of M_c and M_s, or "sum".
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
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
        dilation: int = 4,
        depth: int = 2,
        joined: Joined = "product",
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "reduction": reduction,
            "hidden": hidden,
            "bias": bias,
            "dilation": dilation,
            "depth": depth,
            "joined": joined,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.BottleneckAttention:
        """Return the block for this many channels and spatial axes."""
        return core.BottleneckAttention(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
