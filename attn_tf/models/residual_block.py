"""`ResidualBlock` for Keras; see `attn_core.models.residual_block`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import models as core
from attn_core.models.attention import Attention, named
from attn_core.models.residual_block import Padding
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ResidualBlock(Layer, of=core.ResidualBlock):
    """Add to the image what a few convolutions and an attention block make of it.

    relu(A(norm(conv(relu(norm(conv(x)))))) + S(x))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), outputs), of
    any size. With ``data_format="channels_first"``, channels come second. Only the number of channels must be known
    when the layer is built.

    **Fields**

    - ``channels``, ``outputs``: numbers of channels before and after.
    - ``stride``: of the first convolution of three pixels, and of the shortcut.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``bottleneck``: whether there are three convolutions.
    - ``hidden``: number of channels between the convolutions; by default ``outputs``, in a bottleneck a fourth of it.
    - ``preactivation``: whether norm and relu stand before each convolution (ResNet v2), not after.
    - ``padding``: "symmetric", as PyTorch's code pads, or "same", TensorFlow's SAME, which with a stride of 2 adds
      nothing before an axis of even size and a pixel after it.
    - ``norm``, ``bias``: whether convolutions are normalised, and have biases.
    - ``relu_last``: whether a relu stands between the last normalisation and the attention.
    - ``project``: whether the shortcut is a convolution; by default where the shape changes.
    - ``rank``: number of spatial axes. ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        outputs: int,
        stride: int = 1,
        *,
        attention: Attention = None,
        bottleneck: bool = False,
        hidden: int | None = None,
        preactivation: bool = False,
        padding: Padding = "symmetric",
        norm: bool = True,
        bias: bool = False,
        relu_last: bool = False,
        project: bool | None = None,
        momentum: float = 0.1,
        eps: float = 1e-05,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "outputs": outputs,
            "stride": stride,
            "attention": named(attention),
            "bottleneck": bottleneck,
            "hidden": hidden,
            "preactivation": preactivation,
            "padding": padding,
            "norm": norm,
            "bias": bias,
            "relu_last": relu_last,
            "project": project,
            "momentum": momentum,
            "eps": eps,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.ResidualBlock:
        """Return the block for this many channels and spatial axes."""
        return core.ResidualBlock(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
