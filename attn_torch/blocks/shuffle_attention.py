"""Shuffle attention for PyTorch; see `attn_core.blocks.shuffle_attention`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class ShuffleAttention(Layer):
    r"""Scale half of the channels of each group as a whole and the other half pixel by pixel, then shuffle all.

    .. math:: X'_1 = \sigma(W_1 \, \mathrm{mean}(X_1) + b_1) X_1, \quad X'_2 = \sigma(W_2 \, GN(X_2) + b_2) X_2

    **Shape**: (N, channels, \*space) to the same shape; any number of spatial axes from one.

    **Fields**: see `attn_core.ShuffleAttention`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's
    own error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        channels: int,
        groups: int = 64,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ShuffleAttention(channels, groups)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return self.block.forward(ops, self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
