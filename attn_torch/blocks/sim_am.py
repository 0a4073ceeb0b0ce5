"""`SimAM` for PyTorch; see `attn_core.blocks.sim_am`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class SimAM(Layer, of=core.SimAM):
    r"""Scale each number by a gate that grows with its distance from the mean of its channel; there are no weights.

    x * sigmoid((x - mean)^2 / 4 (variance + eps) + 1/2)

    .. math::
        \mu = \frac{1}{M} \sum_i x_i, \qquad
        \sigma^2 = \frac{1}{M - 1} \sum_i (x_i - \mu)^2, \qquad
        \frac{1}{e^*} = \frac{(x - \mu)^2}{4 (\sigma^2 + \lambda)} + \frac{1}{2}, \qquad
        \tilde{x} = \operatorname{sigmoid}\left(\frac{1}{e^*}\right) \odot x
        \qquad \text{(equations 5 and 6)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C); it changes nothing, but every layer here knows its own.
    - ``eps``: added to the variance (the paper's lambda).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        *,
        eps: float = 0.0001,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.SimAM(channels, eps=eps)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
