"""`MixedPoolingModule` for PyTorch; see `attn_core.blocks.mixed_pooling_module`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class MixedPoolingModule(Layer, of=core.MixedPoolingModule):
    r"""Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    relu(x + conv([short range, long range]))

    .. math::
        a &= \delta(K_a * x), &
        s &= \delta(K_s * \delta(K_0 * a + \sum_n U(K_n * P_n(a)))), \\
        b &= \delta(K_b * x), &
        l &= \delta(K_l * \delta(K^h * \bar{b}^h + K^v * \bar{b}^v)), \\
        & & z &= \delta(x + K_z * [s; l])
        \qquad \text{(section 3.2 of the paper, figure 3)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size, also smaller
    than the numbers of bins.

    **Fields**

    - ``channels``: number of channels.
    - ``reduction``: inside there are ``channels // reduction`` channels.
    - ``pools``: the numbers n of bins along each axis of the image.
    - ``kernel``: length of the kernels, along the strips and of K_0, K_n, K_s and K_l, odd.
    - ``rank``: number of spatial axes: 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        short_reduce: Convolution
        short_reduce_norm: BatchNorm
        local: Convolution
        local_norm: BatchNorm
        pool0: Convolution
        pool0_norm: BatchNorm
        pool1: Convolution
        pool1_norm: BatchNorm
        short_fuse: Convolution
        short_fuse_norm: BatchNorm
        long_reduce: Convolution
        long_reduce_norm: BatchNorm
        strip0: Convolution
        strip0_norm: BatchNorm
        strip1: Convolution
        strip1_norm: BatchNorm
        long_fuse: Convolution
        long_fuse_norm: BatchNorm
        expand: Convolution
        expand_norm: BatchNorm
        strip2: nn.Conv3d
        strip2_norm: nn.BatchNorm3d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

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
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
