"""`ChannelShuffle` for PyTorch; see `attn_core.blocks.channel_shuffle`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_torch.layer import Layer, run


class ChannelShuffle(Layer, of=core.ChannelShuffle):
    r"""Deal the channels of each group out to all groups, so that grouped convolutions in a row mix everything.

    y[i g + j] = x[j n + i], with g groups of n channels

    .. math::
        y_{i g + j} = x_{j n + i}, \qquad 0 \le i < n, \quad 0 \le j < g
        \qquad \text{with } g \text{ groups of } n \text{ channels (section 3.1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's g times n).
    - ``groups``: number of groups (the paper's g); ``channels // groups`` in place of it undoes the shuffle.
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
        groups: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ChannelShuffle(channels, groups)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
