"""`ResidualBlock` for PyTorch; see `attn_core.models.residual_block`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import models as core
from attn_core.interpreters.shapes import explain
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class ResidualBlock(Layer, of=core.ResidualBlock):
    r"""Add to the image what a few convolutions and an attention block make of it.

    relu(A(norm(conv(relu(norm(conv(x)))))) + S(x))

    .. math::
        y = \delta(A(N_2(K_2 * \delta(N_1(K_1 * x)))) + S(x))
        \qquad \text{(basic; with preactivation: } y = A(K_2 * \delta(N_2(K_1 * \delta(N_1 x)))) + S(x) \text{)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, outputs, \*ceil(space / stride)), of
    any size.

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
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv1: Convolution
        conv1_norm: BatchNorm
        conv2: Convolution
        conv2_norm: BatchNorm
        attention: Layer
        conv3: Convolution
        conv3_norm: BatchNorm
        shortcut: Convolution
        shortcut_norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
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
        rank: int = 2,
        momentum: float = 0.1,
        eps: float = 1e-05,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ResidualBlock(
            channels,
            outputs,
            stride,
            attention=attention,
            bottleneck=bottleneck,
            hidden=hidden,
            preactivation=preactivation,
            padding=padding,
            norm=norm,
            bias=bias,
            relu_last=relu_last,
            project=project,
            rank=rank,
            momentum=momentum,
            eps=eps,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
