"""`AffineSampler` for PyTorch; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Border
from attn_torch.layer import Layer, run


class AffineSampler(Layer, of=core.AffineSampler):
    r"""Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    .. math::
        \begin{pmatrix} x_i^s \\ y_i^s \end{pmatrix} = A_\theta \begin{pmatrix} x_i^t \\ y_i^t \\ 1 \end{pmatrix},
        \qquad
        V_i^c = \sum_n \sum_m U_{nm}^c \, \max(0, 1 - |x_i^s - m|) \, \max(0, 1 - |y_i^s - n|)
        \qquad \text{(equations 1 and 5 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, and theta (batch, rank, rank + 1), to
    (batch, channels, \*size). In any layout of the image, theta's rows and columns are x, y, ...: the last spatial axis
    (the width) comes first.

    **Fields**

    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Derivatives**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        size: Size = None,
        *,
        rank: int = 2,
        align_corners: bool = False,
        padding: Border = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.AffineSampler(size, rank=rank, align_corners=align_corners, padding=padding)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x, theta)
        except Exception as error:
            explain(error, self.block, x.shape, theta.shape)
            raise
