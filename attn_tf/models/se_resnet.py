"""`SEResNet` for Keras; see `attn_core.models.se_resnet`."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import keras

from attn_core import models as core
from attn_core.models.attention import Attention, named
from attn_core.models.residual_block import Padding
from attn_core.models.se_resnet import SE_RESNETS
from attn_tf.layer import Network


@keras.saving.register_keras_serializable(package="attn")
class SEResNet(Network, of=core.SEResNet):
    """Classify images with a residual network that has an attention block in each residual block.

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to logits (batch, classes). With
    ``data_format="channels_first"``, channels come second. Only the number of channels must be known when the layer is
    built.

    **Fields**

    - ``classes``: number of classes.
    - ``depths``: number of residual blocks in each stage.
    - ``bottleneck``: whether they are bottlenecks, with four times as many channels.
    - ``attention``: that of `ResidualBlock`; None makes it a plain residual network.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``width``: number of channels before the first stage. ``rank``: number of spatial axes.
    - ``padding``: "symmetric" or "same", of all convolutions and the maximum.
    - ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    It is a `keras.Model`: `compile`, `fit`, `evaluate` and `save` are there.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        classes: int,
        depths: tuple[int, ...] = (3, 4, 6, 3),
        bottleneck: bool = True,
        *,
        attention: Attention = "se",
        width: int = 64,
        padding: Padding = "symmetric",
        momentum: float = 0.1,
        eps: float = 1e-05,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "classes": classes,
            "depths": depths,
            "bottleneck": bottleneck,
            "attention": named(attention),
            "width": width,
            "padding": padding,
            "momentum": momentum,
            "eps": eps,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.SEResNet:
        """Return the block for this many channels and spatial axes."""
        return core.SEResNet(channels=channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the logits."""
        return self.block.forward(self.images, self, x)


class SEResNetOptions(TypedDict, total=False):
    """What `SEResNet` takes beside classes, for type checkers."""

    depths: tuple[int, ...]
    bottleneck: bool
    attention: Attention
    width: int
    padding: Padding
    momentum: float
    eps: float
    data_format: str | None
    synchronized: bool
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any
    name: str | None
    dtype: Any
    trainable: bool


def se_resnet_18(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-18; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[18], **options))


def se_resnet_34(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-34; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[34], **options))


def se_resnet_50(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-50; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[50], **options))


def se_resnet_101(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-101; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[101], **options))


def se_resnet_152(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-152; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[152], **options))
