"""`GlobalPooling` for PyTorch; see `attn_core.blocks.global_pooling`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class GlobalPooling(Layer, of=core.GlobalPooling):
    r"""Reduce each channel to its mean over all pixels, or its maximum, or first all means, then all maxima.

    [mean(x), max(x)]

    .. math::
        y = [F_{avg}; F_{max}], \qquad
        F_{avg} = \frac{1}{HW} \sum_{i,j} x_{ij}, \quad F_{max} = \max_{i,j} x_{ij}

    **Shape**: image (batch, channels, \*space), of any number of spatial axes from one and any size, to
    (batch, channels), or (batch, 2 channels) with both.

    **Fields**

    - ``pools``: "mean", "max" or "both".
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        pools: Pools = "both",
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.GlobalPooling(pools)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
