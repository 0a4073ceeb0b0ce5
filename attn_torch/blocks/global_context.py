"""`GlobalContext` for PyTorch; see `attn_core.blocks.global_context`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.global_context import Fusion, Pool
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class GlobalContext(Layer, of=core.GlobalContext):
    r"""Add to each pixel, or scale its channels by, what two layers make of one weighted mean of all pixels.

    x + W2 relu(norm(W1 (sum over j of softmax(W_k x)_j x_j)))

    .. math::
        c = \sum_j \alpha_j x_j, \qquad \alpha_j = \frac{e^{W_k x_j}}{\sum_m e^{W_k x_m}}, \qquad
        t(c) = W_{v2} \, \mathrm{relu}(\mathrm{LN}(W_{v1} c)), \qquad
        z_i = x_i + t(c)
        \qquad \text{(the global context block, figure 4d of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: each t has ``channels // reduction`` hidden units (the paper's r); left out, it is 16 or, of fewer
      channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether the dense layers have biases; that of W_k has no effect, but is in other people's weights.
    - ``pool``: how c is made: with "attention", or as the plain "mean".
    - ``fusion``: what is done with t(c): "add", "scale" or "both".
    - ``eps``: what LN adds to the variance (1e-6 in timm).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        mask: nn.Linear
        add_reduce: nn.Linear
        add_norm: nn.LayerNorm
        add_expand: nn.Linear
        scale_reduce: nn.Linear
        scale_norm: nn.LayerNorm
        scale_expand: nn.Linear

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        pool: Pool = "attention",
        fusion: Fusion = "add",
        eps: float = 1e-05,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.GlobalContext(channels, reduction, hidden=hidden, bias=bias, pool=pool, fusion=fusion, eps=eps)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
