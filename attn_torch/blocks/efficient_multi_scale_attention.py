"""`EfficientMultiScaleAttention` for PyTorch; see `attn_core.blocks.efficient_multi_scale_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Convolution


class EfficientMultiScaleAttention(Layer, of=core.EfficientMultiScaleAttention):
    r"""Scale each group of channels by a map in which a pointwise and a 3x3 branch weigh each other's channels: EMA.

    x * sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), for each group of channels, with a = norm(x * sigmoid(row
    means) * sigmoid(column means)) and b = conv(x)

    .. math::
        a_{ij} = \operatorname{GN}\bigl(x_{ij} \odot \sigma(F z^h_i) \odot \sigma(F z^w_j)\bigr), \qquad
        b = K * x, \qquad
        m_{ij} = \operatorname{softmax}(\bar a) \cdot b_{ij} + \operatorname{softmax}(\bar b) \cdot a_{ij}, \qquad
        y_{ij} = \sigma(m_{ij}) \, x_{ij}
        \qquad \text{(section 3, with cross-spatial learning)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), a multiple of ``groups``.
    - ``groups``: number of groups (the paper's G, the authors' ``factor``); None becomes, when the block is made, the
      largest number up to 32 that divides the channels and leaves two of them or more in a group.
    - ``rank``: number of spatial axes: 1, 2 or 3; there are means along each of them.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        point: Convolution
        conv: Convolution
        norm: nn.GroupNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        groups: int | None = None,
        *,
        rank: int = 2,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.EfficientMultiScaleAttention(channels, groups, rank=rank)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
