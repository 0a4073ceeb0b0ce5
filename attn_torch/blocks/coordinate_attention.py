"""`CoordinateAttention` for PyTorch; see `attn_core.blocks.coordinate_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.coordinate_attention import Joined
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Activation
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Convolution


class CoordinateAttention(Layer, of=core.CoordinateAttention):
    r"""Scale an image by a gate for each row and one for each column, computed from the means along the others.

    x * sigmoid(F_h f_h) * sigmoid(F_w f_w), with f = delta(norm(F_1 [z_h, z_w]))

    .. math::
        z^h_i = \frac{1}{W} \sum_j x_{ij}, \qquad
        z^w_j = \frac{1}{H} \sum_i x_{ij}, \qquad
        [f^h, f^w] = \delta(\operatorname{norm}(F_1 [z^h, z^w])), \qquad
        y_{ij} = x_{ij} \odot \sigma(F_h f^h_i) \odot \sigma(F_w f^w_j)
        \qquad \text{(equations 4 to 9)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units (the paper's r, 32 if left out), but 8 at least.
    - ``hidden``: number of hidden units, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether the convolutions, all of one pixel, have biases.
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each axis, from the means over all others.
    - ``norm``: whether the hidden units are normalised over the batch, and ``momentum`` of that (PyTorch's).
    - ``activation``: the paper's delta: "hard_swish", "relu", "silu", "gelu" or "leaky_relu".
    - ``joined``: the gate of a pixel is the "product" of sigmoids, or the sigmoid of the "sum" of what they are of.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: nn.Conv1d
        reduce_norm: nn.BatchNorm1d
        expand0: Convolution
        expand1: Convolution
        expand2: nn.Conv3d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        rank: int = 2,
        norm: bool = True,
        momentum: float = 0.1,
        activation: Activation = "hard_swish",
        joined: Joined = "product",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.CoordinateAttention(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            rank=rank,
            norm=norm,
            momentum=momentum,
            activation=activation,
            joined=joined,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
