"""`SEResNet` for NNX; see `attn_core.models.se_resnet`."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_core.models.se_resnet import SE_RESNETS
from attn_jax.nnx.layer import Layer


class SEResNet(Layer, of=core.SEResNet):
    """Classify images with a residual network that has an attention block in each residual block.

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes, of any size, to logits (batch, classes).

    **Fields**

    - ``classes``: number of classes.
    - ``depths``: number of residual blocks in each stage.
    - ``bottleneck``: whether they are bottlenecks, with four times as many channels.
    - ``channels``: number of channels of the image.
    - ``attention``: that of `ResidualBlock`; None makes it a plain residual network.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``width``: number of channels before the first stage. ``rank``: number of spatial axes.
    - ``padding``: "symmetric" or "same", of all convolutions and the maximum.
    - ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        classes: int,
        depths: tuple[int, ...] = (3, 4, 6, 3),
        bottleneck: bool = True,
        *,
        channels: int = 3,
        attention: Attention = "se",
        width: int = 64,
        rank: int = 2,
        padding: Padding = "symmetric",
        momentum: float = 0.1,
        eps: float = 1e-05,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.SEResNet(
            classes,
            depths,
            bottleneck,
            channels=channels,
            attention=attention,
            width=width,
            rank=rank,
            padding=padding,
            momentum=momentum,
            eps=eps,
        )
        super().__init__(
            block,
            dtype=dtype,
            param_dtype=param_dtype,
            axis_name=axis_name,
            kernel_init=kernel_init,
            bias_init=bias_init,
            precision=precision,
            promote_dtype=promote_dtype,
            rngs=rngs,
        )

    def __call__(self, x: Array) -> Array:
        """Compute the logits."""
        return self.run(x)


class SEResNetOptions(TypedDict, total=False):
    """What `SEResNet` takes beside classes, for type checkers."""

    depths: tuple[int, ...]
    bottleneck: bool
    channels: int
    attention: Attention
    width: int
    rank: int
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


def se_resnet_18(classes: int = 1000, *, rngs: nnx.Rngs, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-18; options are those of `SEResNet`."""
    return SEResNet(classes, rngs=rngs, **dict(SE_RESNETS[18], **options))


def se_resnet_34(classes: int = 1000, *, rngs: nnx.Rngs, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-34; options are those of `SEResNet`."""
    return SEResNet(classes, rngs=rngs, **dict(SE_RESNETS[34], **options))


def se_resnet_50(classes: int = 1000, *, rngs: nnx.Rngs, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-50; options are those of `SEResNet`."""
    return SEResNet(classes, rngs=rngs, **dict(SE_RESNETS[50], **options))


def se_resnet_101(classes: int = 1000, *, rngs: nnx.Rngs, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-101; options are those of `SEResNet`."""
    return SEResNet(classes, rngs=rngs, **dict(SE_RESNETS[101], **options))


def se_resnet_152(classes: int = 1000, *, rngs: nnx.Rngs, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-152; options are those of `SEResNet`."""
    return SEResNet(classes, rngs=rngs, **dict(SE_RESNETS[152], **options))
