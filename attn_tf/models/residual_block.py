"""`ResidualBlock` for Keras; see `attn_core.models.residual_block`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import models as core
from attn_core.models.attention import Attention, named
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class ResidualBlock(Layer, of=core.ResidualBlock):
    """Add to the image what a few convolutions and an attention block make of it.

    relu(A(norm(conv(relu(norm(conv(x)))))) + S(x))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), outputs), of
    any size. With ``data_format="channels_first"``, channels come second. Only the number of channels must be known
    when the layer is built.

    **Fields**: see `attn_core.ResidualBlock`; channels and rank are read from the input.

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
        padding: str = "symmetric",
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
