"""`CBAM` for PyTorch; see `attn_core.blocks.cbam`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.blocks.channel_attention import ChannelAttention
    from attn_torch.blocks.spatial_attention import SpatialAttention


class CBAM(Layer, of=core.CBAM):
    r"""Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    x' * M_s(x') with x' = x * M_c(x)

    .. math::
        F' = M_c(F) \otimes F, \qquad F'' = M_s(F') \otimes F'
        \qquad \text{(equation 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``, ``reduction``, ``hidden``, ``bias``, ``pools``: those of `ChannelAttention`.
    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``kernel``, ``rank``, ``norm``, ``momentum``: those of `SpatialAttention`; ``spatial_bias`` is its ``bias``.
    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        channel: ChannelAttention
        spatial: SpatialAttention

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        kernel: int = 7,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
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
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
