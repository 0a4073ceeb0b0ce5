"""The mixed pooling module of SPNet for PyTorch; see `attn_core.blocks.mixed_pooling_module`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class MixedPoolingModule(Layer):
    r"""Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    .. math:: z = \mathrm{relu}(x + K_z * [s; l])

    **Shape**: (N, channels, \*space) to the same shape, of any size.

    **Fields**: see `attn_core.MixedPoolingModule`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's
    own error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 4,
        *,
        pools: tuple[int, ...] = (20, 12),
        kernel: int = 3,
        rank: int = 2,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.MixedPoolingModule(channels, reduction, pools=pools, kernel=kernel, rank=rank, momentum=momentum)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return self.block.forward(ops, self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
