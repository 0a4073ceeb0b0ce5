"""`AttentionGate` for PyTorch; see `attn_core.blocks.attention_gate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class AttentionGate(Layer, of=core.AttentionGate):
    r"""Scale each pixel of the features by a gate computed from it and from the same pixel of a gating signal.

    x * sigmoid(norm(psi relu(norm(W_x x) + norm(W_g g))))

    .. math::
        q = \psi^\top \delta(W_x x_i + W_g g_i + b_g) + b_\psi, \qquad
        \alpha_i = \operatorname{sigmoid}(q), \qquad
        \hat x_i = \alpha_i \, x_i
        \qquad \text{(equations 1 and 2)}

    **Shape**: image x (batch, channels, \*space) and image g (batch, gating, \*space), both of ``rank`` spatial axes
    and of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated. With a
    ``grid``, g may have any size, and x at least ``grid`` pixels along each axis.

    **Fields**

    - ``channels``: number of channels of x (the paper's F_l).
    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``grid``: how many pixels of x along each axis have one gate, which is interpolated between (the authors'
      ``sub_sample_factor``); None for gates that are each computed.
    - ``align_corners``: whether interpolation, with a ``grid``, aligns the outermost pixels' centres or their edges.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        features: Convolution
        features_norm: BatchNorm
        signal: Convolution
        signal_norm: BatchNorm
        map: Convolution
        map_norm: BatchNorm

        def __call__(self, x: Tensor, signal: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        gating: int,
        hidden: int | None = None,
        *,
        rank: int = 2,
        momentum: float = 0.1,
        grid: int | None = None,
        align_corners: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.AttentionGate(
            channels, gating, hidden, rank=rank, momentum=momentum, grid=grid, align_corners=align_corners
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor, signal: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x, signal)
        except Exception as error:
            explain(error, self.block, x.shape, signal.shape)
            raise
