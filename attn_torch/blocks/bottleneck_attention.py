"""`BottleneckAttention` for PyTorch; see `attn_core.blocks.bottleneck_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.bottleneck_attention import Joined
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class BottleneckAttention(Layer, of=core.BottleneckAttention):
    r"""Add to an image itself, scaled by a gate that joins one number for each channel and one for each pixel: BAM.

    x * (1 + sigmoid(M_c * M_s)), with M_c = W2 relu(norm(W1 mean(x))) and M_s = convolutions of x

    .. math::
        M_c = W_2 \, \delta(W_1 \bar x + b_1) + b_2, \qquad
        M_s = f_3 \, \delta(f_2 \, \delta(f_1 \, \delta(f_0 \, x))), \qquad
        y = x + x \odot \sigma(M_c \odot M_s)
        \qquad \text{(equations 1 to 4, as the authors' code has them)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units, and hidden channels (the paper's r); left out, it
      is 16 or, of fewer channels, their number.
    - ``hidden``: their number, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether dense layers and convolutions have biases.
    - ``dilation``: how many pixels the numbers of the 3 x 3 kernels are apart (the paper's d).
    - ``depth``: how many such convolutions there are.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``joined``: "product" of M_c and M_s, or "sum".
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: nn.Linear
        expand: nn.Linear
        reduce_norm: nn.BatchNorm1d
        squeeze: Convolution
        squeeze_norm: BatchNorm
        dilated0: Convolution
        dilated0_norm: BatchNorm
        dilated1: Convolution
        dilated1_norm: BatchNorm
        map: Convolution

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        dilation: int = 4,
        depth: int = 2,
        rank: int = 2,
        joined: Joined = "product",
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.BottleneckAttention(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            dilation=dilation,
            depth=depth,
            rank=rank,
            joined=joined,
            momentum=momentum,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
