"""`GlobalResponseNorm` for PyTorch; see `attn_core.blocks.global_response_norm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Affine


class GlobalResponseNorm(Layer, of=core.GlobalResponseNorm):
    r"""Scale each channel by its length as compared with those of the other channels, and add the image.

    gamma * x * |x_c| / (mean |x_c| + eps) + beta + x

    .. math::
        G_c = \sqrt{\sum_{i,j} x_{ijc}^2}, \qquad
        N_c = \frac{G_c}{\frac{1}{C} \sum_{d} G_d + \epsilon}, \qquad
        y = \gamma \odot (N \odot x) + \beta + x
        \qquad \text{(algorithm 1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``eps``: added to the mean of the lengths.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        affine: Affine

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        *,
        eps: float = 1e-06,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.GlobalResponseNorm(channels, eps=eps)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
