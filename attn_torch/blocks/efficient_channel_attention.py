"""`EfficientChannelAttention` for PyTorch; see `attn_core.blocks.efficient_channel_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.efficient_channel_attention import Border
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class EfficientChannelAttention(Layer, of=core.EfficientChannelAttention):
    r"""Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    x * sigmoid(conv(mean(x))), along the channels

    .. math::
        y = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        \omega_c = \sigma \Big( \sum_{j=1}^k w_j \, y_{c + j - (k + 1) / 2} \Big), \qquad
        \tilde{x} = \omega \odot x
        \qquad \text{(section 3.2 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), which says k where ``kernel`` does not.
    - ``kernel``: length of the convolution along the channels, odd (the paper's k); None becomes the number of the
      paper's rule when the block is made.
    - ``border``: what is beyond the first and the last channel: "zeros", or, "circular", the channels of the other end.
    - ``hidden``: how many numbers a first layer makes of each channel's mean, before a relu; None: there is no such
      layer.
    - ``bias``: whether the convolution, and the first layer if there is one, have biases.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv: nn.Conv1d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        kernel: int | None = None,
        *,
        border: Border = "zeros",
        hidden: int | None = None,
        bias: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.EfficientChannelAttention(channels, kernel, border=border, hidden=hidden, bias=bias)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
