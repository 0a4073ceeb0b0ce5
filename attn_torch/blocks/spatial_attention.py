"""`SpatialAttention` for PyTorch; see `attn_core.blocks.spatial_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class SpatialAttention(Layer, of=core.SpatialAttention):
    r"""Scale each pixel by a gate that a convolution computes from the channels' mean and maximum around it.

    x * sigmoid(conv([mean of channels, max of channels]))

    .. math::
        M_s(F) = \sigma(f^{7 \times 7}([F^s_{avg}; F^s_{max}])), \qquad
        F' = M_s(F) \otimes F
        \qquad \text{(equations 3 and 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape; any number of channels, any
    size, also smaller than the kernel.

    **Fields**

    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv: Convolution
        norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        kernel: int = 7,
        *,
        rank: int = 2,
        bias: bool = False,
        norm: bool = False,
        momentum: float = 0.01,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.SpatialAttention(kernel, rank=rank, bias=bias, norm=norm, momentum=momentum)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
