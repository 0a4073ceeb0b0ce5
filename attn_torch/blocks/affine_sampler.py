"""The affine grid and sampler of spatial transformer networks for PyTorch; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch import ops
from attn_torch.layer import Layer


class AffineSampler(Layer):
    r"""Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    .. math:: V = \text{the samples of } U \text{ at } A_\theta G

    **Shape**: (N, C, \*space) and theta (batch, d, d + 1), d being the number of spatial axes, to an image of the size
    asked for.

    **Fields**: see `attn_core.AffineSampler`; `device` and `dtype` as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's
    own error, with a note that says which step could not take it.
    """

    def __init__(
        self,
        size: int | tuple[int | None, ...] | None = None,
        *,
        rank: int = 2,
        align_corners: bool = False,
        padding: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.AffineSampler(size, rank=rank, align_corners=align_corners, padding=padding)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return self.block.forward(ops, self, x, theta)
        except Exception as error:
            explain(error, self.block, x.shape, theta.shape)
            raise
