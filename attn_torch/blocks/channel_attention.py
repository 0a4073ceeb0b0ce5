"""`ChannelAttention` for PyTorch; see `attn_core.blocks.channel_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class ChannelAttention(Layer, of=core.ChannelAttention):
    r"""Scale each channel by a gate that one perceptron computes from the spatial means and from the maxima.

    x * sigmoid(W1 relu(W0 mean(x)) + W1 relu(W0 max(x)))

    .. math::
        M_c(F) = \sigma(W_1 \, \mathrm{relu}(W_0 F^c_{avg}) + W_1 \, \mathrm{relu}(W_0 F^c_{max})), \qquad
        F' = M_c(F) \otimes F
        \qquad \text{(equations 2 and 1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: nn.Linear
        expand: nn.Linear

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ChannelAttention(channels, reduction, hidden=hidden, bias=bias, pools=pools)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
