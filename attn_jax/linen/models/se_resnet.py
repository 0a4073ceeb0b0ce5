"""`SEResNet` for Linen; see `attn_core.models.se_resnet`."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, TypedDict, Unpack

from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_core.models.se_resnet import SE_RESNETS
from attn_jax.linen.layer import Layer


class SEResNet(Layer, of=core.SEResNet):
    """Classify images with a residual network that has an attention block in each residual block.

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to logits (batch, classes).

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
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    classes: int
    depths: tuple[int, ...] = (3, 4, 6, 3)
    bottleneck: bool = True
    _: KW_ONLY
    attention: Attention = "se"
    width: int = 64
    padding: Padding = "symmetric"
    momentum: float = 0.1
    eps: float = 1e-05

    def configure(self, channels: int, rank: int) -> core.SEResNet:
        """Return the block for this many channels and spatial axes."""
        return core.SEResNet(
            self.classes,
            self.depths,
            self.bottleneck,
            channels=channels,
            attention=self.attention,
            width=self.width,
            rank=rank,
            padding=self.padding,
            momentum=self.momentum,
            eps=self.eps,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the logits."""
        return self.run(x, train=train)


class SEResNetOptions(TypedDict, total=False):
    """What `SEResNet` takes beside classes, for type checkers."""

    depths: tuple[int, ...]
    bottleneck: bool
    attention: Attention
    width: int
    padding: Padding
    momentum: float
    eps: float
    dtype: Any
    param_dtype: Any
    axis_name: str | None
    kernel_init: Any
    bias_init: Any
    precision: Any
    promote_dtype: Any
    name: str | None
    parent: Any


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
