"""`PointwiseSpatialAttention` for PyTorch; see `attn_core.blocks.pointwise_spatial_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.blocks.pointwise_spatial_attention import Mode
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.layer import Generic
    from attn_torch.parts import BatchNorm, Convolution


class PointwiseSpatialAttention(Layer, of=core.PointwiseSpatialAttention):
    r"""Append to each pixel what it collects from all positions, and what all positions distribute to it.

    [x, relu(norm(W [collected, distributed]))]

    .. math::
        z^c_i = \frac{1}{N} \sum_j F_{\Delta_{ij}}(x_i) \, x_j, \qquad
        z^d_i = \frac{1}{N} \sum_j F_{\Delta_{ij}}(x_j) \, x_j
        \qquad \text{(section 3.1 of the paper)}

    **Shape**: image (batch, channels, \*size) to (batch, 2 channels, \*size); the maps fit images of this size only.

    **Fields**

    - ``channels``: number of channels (the paper's C_1).
    - ``size``: the image's number of pixels along each axis, or along all where it is one number (the paper's H, W).
    - ``hidden``: number of channels of x (the paper's C_2); a quarter of ``channels`` where None, as in the authors'
      code.
    - ``mode``: the branches: "both", "collect" or "distribute".
    - ``softmax``: whether the attentions that a position i gives to all j are those of a softmax over j, in place of
      the division by N.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        collect: Generic
        distribute: Generic
        fuse: Convolution
        norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        size: int | tuple[int, ...],
        *,
        hidden: int | None = None,
        mode: Mode = "both",
        softmax: bool = False,
        rank: int = 2,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.PointwiseSpatialAttention(
            channels, size, hidden=hidden, mode=mode, softmax=softmax, rank=rank, momentum=momentum
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
