"""`Res2Conv` for PyTorch; see `attn_core.blocks.res2_conv`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class Res2Conv(Layer, of=core.Res2Conv):
    r"""Convolve the channels piece by piece, each piece together with the result of the one before.

    y[i] = conv(x[i] + y[i - 1])

    .. math::
        y_i = \begin{cases}
            x_i & i = 1 \\
            K_i(x_i) & i = 2 \\
            K_i(x_i + y_{i-1}) & 2 < i \le s
        \end{cases}
        \qquad \text{(equation 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, channels, \*ceil(space / stride)),
    of any size.

    **Fields**

    - ``channels``: number of channels.
    - ``scale``: number of pieces (the paper's s); one piece is convolved.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``norm``: whether batch normalisation follows each convolution; otherwise the convolutions have biases.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        conv0: Convolution
        conv0_norm: BatchNorm
        conv1: Convolution
        conv1_norm: BatchNorm
        conv2: Convolution
        conv2_norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        scale: int = 4,
        *,
        kernel: int = 3,
        rank: int = 2,
        stride: int = 1,
        first_of_stage: bool = False,
        norm: bool = True,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.Res2Conv(
            channels,
            scale,
            kernel=kernel,
            rank=rank,
            stride=stride,
            first_of_stage=first_of_stage,
            norm=norm,
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
