"""Res2Net's convolutions for PyTorch; see `attn_core.blocks.res2_conv`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class Res2Conv(Layer):
    r"""Convolve the channels piece by piece, each piece together with the result of the one before.

    .. math:: y_1 = K_1(x_1), \quad y_i = K_i(x_i + y_{i-1})

    **Shape**: (N, channels, \*space) to the same shape, each size divided by the stride and rounded up.

    **Fields**: see `attn_core.Res2Conv`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's
    own error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        channels: int,
        scale: int = 4,
        *,
        kernel: int = 3,
        rank: int = 2,
        stride: int = 1,
        first_of_stage: bool = False,
        norm: bool = True,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.Res2Conv(
            channels,
            scale,
            kernel=kernel,
            rank=rank,
            stride=stride,
            first_of_stage=first_of_stage,
            norm=norm,
            momentum=momentum,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return self.block.forward(ops, self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
