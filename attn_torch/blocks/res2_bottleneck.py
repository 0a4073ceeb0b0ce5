"""`Res2Bottleneck` for PyTorch; see `attn_core.blocks.res2_bottleneck`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.blocks.res2_conv import Res2Conv
    from attn_torch.parts import BatchNorm, Convolution


class Res2Bottleneck(Layer, of=core.Res2Bottleneck):
    r"""Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    .. math::
        z = \delta(N_3(K_3 * R(\delta(N_1(K_1 * x)))) + x)
        \qquad \text{(section 3.1 of the paper, figure 2b)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, 4 * planes, \*ceil(space / stride)),
    of any size.

    **Fields**

    - ``channels``: number of channels of the input.
    - ``planes``: a fourth of the channels of the output, as residual networks count.
    - ``scale``: number of pieces of `Res2Conv` (the paper's s).
    - ``base_width``: each piece has ``planes * base_width // 64`` channels (the paper's w, where planes is 64).
    - ``kernel``, ``rank``, ``stride``, ``first_of_stage``, ``momentum``: those of `Res2Conv`; ``momentum`` of all
      normalisations.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: Convolution
        reduce_norm: BatchNorm
        hierarchy: Res2Conv
        expand: Convolution
        expand_norm: BatchNorm
        shortcut: Convolution
        shortcut_norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        planes: int,
        scale: int = 4,
        base_width: int = 26,
        *,
        kernel: int = 3,
        rank: int = 2,
        stride: int = 1,
        first_of_stage: bool = False,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.Res2Bottleneck(
            channels,
            planes,
            scale,
            base_width,
            kernel=kernel,
            rank=rank,
            stride=stride,
            first_of_stage=first_of_stage,
            momentum=momentum,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
