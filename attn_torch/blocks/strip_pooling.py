"""`StripPooling` for PyTorch; see `attn_core.blocks.strip_pooling`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class StripPooling(Layer, of=core.StripPooling):
    r"""Scale each number by a gate computed from the mean of its row and the mean of its column.

    x * sigmoid(f(conv(means of rows) + conv(means of columns)))

    .. math::
        \bar{x}^h_{c,i} = \frac{1}{W} \sum_j x_{c,i,j}, \qquad
        \bar{x}^v_{c,j} = \frac{1}{H} \sum_i x_{c,i,j}, \qquad
        y_{c,i,j} = (K^h * \bar{x}^h)_{c,i} + (K^v * \bar{x}^v)_{c,j}, \qquad
        z = \sigma(f(y)) \odot x
        \qquad \text{(section 3.1 of the paper, the strip pooling module)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``kernel``: length of the convolutions along the strips, odd (the paper's 3).
    - ``rank``: number of spatial axes: 2 or 3.
    - ``bias``: whether f has a bias.
    - ``norm``: whether batch normalisation follows each convolution along a strip, as in the authors' code.
    - ``relu``: whether f sees relu(y), as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        strip0: Convolution
        strip1: Convolution
        fuse: Convolution
        strip0_norm: BatchNorm
        strip1_norm: BatchNorm
        strip2: nn.Conv3d
        strip2_norm: nn.BatchNorm3d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        *,
        rank: int = 2,
        bias: bool = True,
        norm: bool = False,
        relu: bool = False,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.StripPooling(channels, kernel, rank=rank, bias=bias, norm=norm, relu=relu, momentum=momentum)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
