"""`ExpectationMaximizationAttention` for PyTorch; see `attn_core.blocks.expectation_maximization_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution
    from attn_torch.running import Running


class ExpectationMaximizationAttention(Layer, of=core.ExpectationMaximizationAttention):
    r"""Add to the image its reconstruction from a few bases, which expectation-maximisation fits to each image.

    relu(norm(W relu(reconstruction of x from a few bases)) + x)

    .. math::
        Z^{(t)} &= \mathrm{softmax}(X (\mu^{(t-1)})^\top)
            && \text{(responsibility estimation, } A_E) \\
        \mu_k^{(t)} &= \mathrm{norm} \sum_n \frac{z_{nk}^{(t)}}{\sum_m z_{mk}^{(t)}} x_n
            && \text{(likelihood maximisation, } A_M) \\
        \tilde X &= Z^{(T)} \mu^{(T)}
            && \text{(data re-estimation, } A_R) \\
        Y &= \mathrm{relu}(\mathrm{BN}(W \, \mathrm{relu}(\tilde X)) + \text{image})

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bases``: number of bases (the paper's K).
    - ``steps``: number of steps of expectation and maximisation (the paper's T).
    - ``momentum``: of the bases' moving average in PyTorch's sense, the paper's :math:`1 - \alpha`.
    - ``norm_momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 3e-4).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        embed: Convolution
        bases: Running
        fuse: Convolution
        norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        bases: int = 64,
        *,
        steps: int = 3,
        momentum: float = 0.1,
        norm_momentum: float = 0.0003,
        rank: int = 2,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ExpectationMaximizationAttention(
            channels, bases, steps=steps, momentum=momentum, norm_momentum=norm_momentum, rank=rank
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
