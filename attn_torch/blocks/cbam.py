"""`CBAM` for PyTorch; see `attn_core.blocks.cbam`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class CBAM(Layer, of=core.CBAM):
    r"""Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    x' * M_s(x') with x' = x * M_c(x)

    .. math::
        F' = M_c(F) \otimes F, \qquad F'' = M_s(F') \otimes F'
        \qquad \text{(equation 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**: see `attn_core.CBAM`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        kernel: int = 7,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: str = "both",
        rank: int = 2,
        spatial_bias: bool = False,
        norm: bool = False,
        momentum: float = 0.01,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.CBAM(
            channels,
            reduction,
            kernel,
            hidden=hidden,
            bias=bias,
            pools=pools,
            rank=rank,
            spatial_bias=spatial_bias,
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
