"""`Inserted` for PyTorch; see `attn_core.models.inserting.inserted`."""

from __future__ import annotations

import torch
from torch import Tensor

from attn_core.interpreters.shapes import explain
from attn_core.models.inserting import inserted as core
from attn_core.spec import Block
from attn_torch import ops
from attn_torch.layer import Layer


class Inserted(Layer, of=core.Inserted):
    """Move an image towards what a block makes of it, by a learned strength for each channel.

    x + a (block(x) / c - x); see `attn_core.models.inserting.inserted.Inserted`.
    """

    def __init__(
        self,
        block: Block,
        channels: int,
        *,
        strength: float = 0.0,
        share: float = 1.0,
        level: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        found = core.Inserted(block, channels, strength=strength, share=share, level=level)
        super().__init__(found, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output, in the image's dtype, as autocast leaves it: the strength is in float32."""
        try:
            output: Tensor = self.block.forward(ops, self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
        return output.to(x.dtype)
