"""`SpatialTransformer` for PyTorch; see `attn_core.blocks.spatial_transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.affine_sampler import Size
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Border
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.blocks.affine_sampler import AffineSampler
    from attn_torch.parts import Convolution


class SpatialTransformer(Layer, of=core.SpatialTransformer):
    r"""Transform an image by the affine map that a small network reads from it; at the start, the identity.

    x sampled at the points theta(x) @ (x, y, ..., 1)

    .. math::
        \theta = f_{loc}(U), \qquad V = \text{the samples of } U \text{ at } A_\theta G
        \qquad \text{(section 3 of the paper; } \texttt{AffineSampler} \text{ for the samples)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, of any size, to (batch, channels, \*size).

    **Fields**

    - ``channels``: number of channels.
    - ``size``, ``rank``, ``align_corners``, ``padding``: those of `AffineSampler`.
    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.
    - ``features``: number of channels of the localisation network's convolution.
    - ``kernel``: length of its kernel along each axis, odd.
    - ``pooled``: number of bins along each axis.
    - ``hidden``: number of hidden units of its dense layers.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Derivatives**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv: Convolution
        reduce: nn.Linear
        regress: nn.Linear
        sampler: AffineSampler

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        size: Size = None,
        *,
        features: int = 16,
        kernel: int = 5,
        pooled: int = 4,
        hidden: int = 32,
        rank: int = 2,
        align_corners: bool = False,
        padding: Border = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.SpatialTransformer(
            channels,
            size,
            features=features,
            kernel=kernel,
            pooled=pooled,
            hidden=hidden,
            rank=rank,
            align_corners=align_corners,
            padding=padding,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
