"""`ShuffleAttention` for PyTorch; see `attn_core.blocks.shuffle_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Affine


class ShuffleAttention(Layer, of=core.ShuffleAttention):
    r"""Scale half of the channels of each group as a whole and the other half pixel by pixel, then shuffle all.

    x1 * sigmoid(w1 mean(x1) + b1) and x2 * sigmoid(w2 norm(x2) + b2) of each group's halves, shuffled

    .. math::
        X'_{k1} = \sigma(W_1 s + b_1) \cdot X_{k1}, \quad s = \frac{1}{HW} \sum_{i,j} X_{k1}(i, j), \qquad
        X'_{k2} = \sigma(W_2 \cdot GN(X_{k2}) + b_2) \cdot X_{k2}
        \qquad \text{(equations 1 to 3 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``groups``: number of groups (the paper's G); each half of a group has ``channels // (2 * groups)`` channels. None
      becomes, when the block is made, the largest number that divides both 64 (the authors') and half the channels.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        channel: Affine
        norm: nn.GroupNorm
        spatial: Affine

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        groups: int | None = None,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ShuffleAttention(channels, groups)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
