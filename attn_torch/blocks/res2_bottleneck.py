"""`Res2Bottleneck` for PyTorch; see `attn_core.blocks.res2_bottleneck`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class Res2Bottleneck(Layer, of=core.Res2Bottleneck):
    r"""Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    .. math::
        z = \delta(N_3(K_3 * R(\delta(N_1(K_1 * x)))) + x)
        \qquad \text{(section 3.1 of the paper, figure 2b)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, 4 * planes, \*ceil(space / stride)),
    of any size.

    **Fields**: see `attn_core.Res2Bottleneck`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        channels: int,
        planes: int,
        scale: int = 4,
        base_width: int = 26,
        *,
        kernel: int = 3,
        rank: int = 2,
        stride: int = 1,
        first_of_stage: bool = False,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.Res2Bottleneck(
            channels,
            planes,
            scale,
            base_width,
            kernel=kernel,
            rank=rank,
            stride=stride,
            first_of_stage=first_of_stage,
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
