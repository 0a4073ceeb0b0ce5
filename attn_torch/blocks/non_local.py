"""`NonLocal` for PyTorch; see `attn_core.blocks.non_local`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.non_local import Mode, Scale
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import BatchNorm, Convolution


class NonLocal(Layer, of=core.NonLocal):
    r"""Add to each pixel what it finds at all positions, weighted by how it relates to them.

    x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    .. math::
        y_i = \frac{1}{C(x)} \sum_j f(x_i, x_j) \, g(x_j), \qquad z_i = W_z y_i + x_i
        \qquad \text{(equations 1 and 6 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``.

    **Fields**

    - ``channels``: number of channels.
    - ``hidden``: number of channels of g, theta and phi; half of ``channels`` where None, as in the paper.
    - ``mode``: the function f.
    - ``scale``: the factor s, of the two softmax modes: "none" is 1, "hidden" is hidden :sup:`-1/2`, "channels" is
      channels :sup:`-1/2`.
    - ``subsample``: the positions j are the maxima of phi and g (of x and g in the mode gaussian) over windows side by
      side, of so many pixels along each axis, or along all where it is one number; 1 keeps all positions.
    - ``norm``: whether batch normalisation follows W_z.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether theta, phi, g and W_z have biases.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``device``, ``dtype``: as in `torch.nn`.

    **Derivatives**: softmax attention is a kernel that never holds the matrix of positions. Derivatives of gradients,
    and those in forward mode, are of the plain form, which holds it; `torch.compile` has gradients only.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        query: Convolution
        key: Convolution
        value: Convolution
        project: Convolution
        query_score: nn.Linear
        key_score: nn.Linear
        norm: BatchNorm

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        hidden: int | None = None,
        *,
        mode: Mode = "embedded_gaussian",
        scale: Scale = "none",
        subsample: int | tuple[int, ...] = 1,
        norm: bool = False,
        rank: int = 2,
        bias: bool = True,
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.NonLocal(
            channels,
            hidden,
            mode=mode,
            scale=scale,
            subsample=subsample,
            norm=norm,
            rank=rank,
            bias=bias,
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
