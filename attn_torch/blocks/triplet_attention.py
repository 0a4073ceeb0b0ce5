"""`TripletAttention` for PyTorch; see `attn_core.blocks.triplet_attention`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class TripletAttention(Layer, of=core.TripletAttention):
    r"""Scale an image by the mean of three gates: of its pixels, and of channels with columns and with rows.

    x * (g1 + g2 + g3) / 3, each the gate of CBAM's spatial attention, two of the image turned

    .. math::
        y = \frac{1}{3} \left( \sigma(\psi_1(\hat\chi_1)) \, x + \sigma(\psi_2(\hat\chi_2)) \, x
            + \sigma(\psi_3(\hat\chi_3)) \, x \right)
        \qquad \text{(section 3.3)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C); no weight depends on it.
    - ``kernel``: size of the convolutions along every axis, odd (the paper's k).
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each, and that of the pixels.
    - ``spatial``: whether the gate of the pixels is there.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        axis0: Convolution
        axis0_norm: BatchNorm
        pixels: Convolution
        pixels_norm: BatchNorm
        axis1: Convolution
        axis1_norm: BatchNorm
        axis2: nn.Conv3d
        axis2_norm: nn.BatchNorm3d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        kernel: int = 7,
        *,
        rank: int = 2,
        spatial: bool = True,
        momentum: float = 0.01,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.TripletAttention(channels, kernel, rank=rank, spatial=spatial, momentum=momentum)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
