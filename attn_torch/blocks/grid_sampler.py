"""`GridSampler` for PyTorch; see `attn_core.blocks.grid_sampler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class GridSampler(Layer, of=core.GridSampler):
    r"""Sample an image at points that are given, one for each pixel of the output.

    x sampled at the points of the grid

    .. math::
        V_i^c = \sum_n \sum_m U_{nm}^c \, \max(0, 1 - |x_i^s - m|) \, \max(0, 1 - |y_i^s - n|)
        \qquad \text{(equation 5 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, and grid (batch, \*size, rank), to
    (batch, channels, \*size). The grid is the same array for an image of the layout BCHW, which is PyTorch's, and of
    BHWD, which is that of Keras and Flax.

    **Fields**

    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``order``: of a point's coordinates: "xy", that of the last spatial axis (the width) first, as in PyTorch's
      `grid_sample`; or "yx", that of the first spatial axis first.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Derivatives**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, grid: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        *,
        rank: int = 2,
        order: str = "xy",
        align_corners: bool = False,
        padding: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.GridSampler(rank=rank, order=order, align_corners=align_corners, padding=padding)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x, grid)
        except Exception as error:
            explain(error, self.block, x.shape, grid.shape)
            raise
