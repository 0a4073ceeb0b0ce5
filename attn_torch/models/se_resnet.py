"""`SEResNet` for PyTorch; see `attn_core.models.se_resnet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import torch
from torch import Tensor, nn

from attn_core import models as core
from attn_core.interpreters.shapes import explain
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_core.models.se_resnet import SE_RESNETS
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.layer import Generic
    from attn_torch.parts import BatchNorm, Convolution


class SEResNet(Layer, of=core.SEResNet):
    r"""Classify images with a residual network that has an attention block in each residual block.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, of any size, to logits (batch, classes).

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
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        stem: Convolution
        stem_norm: BatchNorm
        stage1: Generic
        stage2: Generic
        stage3: Generic
        stage4: Generic
        classify: nn.Linear

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the logits."""

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
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
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
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise


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
    device: torch.device | str | None
    dtype: torch.dtype | None


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
