"""`PointwiseGate` for PyTorch; see `attn_core.blocks.pointwise_gate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Convolution


class PointwiseGate(Layer, of=core.PointwiseGate):
    r"""Scale every number of an image by a gate that a pointwise convolution computes from its pixel.

    x * sigmoid(W x + b), at each pixel

    .. math::
        s_i = \sigma(W x_i + b), \qquad y_i = s_i \odot x_i
        \qquad \text{for each pixel } i \text{ (figure 5b of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``shared``: whether all channels of a pixel share one gate: the spatial half of scSE, called sSE.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv: Convolution

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        *,
        rank: int = 2,
        bias: bool = True,
        shared: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.PointwiseGate(channels, rank=rank, bias=bias, shared=shared)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
