"""Channel attention, of CBAM and alone.

A step of training takes 0.5 of the plain form's time (8 x 256 x 56 x 56, one thread, as docs/fast.md has it), also in
bfloat16, and the call alone in bfloat16 0.6.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_torch import ops
from attn_torch.fast import kernels
from attn_torch.fast.pair import Kept, Known, Pair, left, moving, pull_back


class ChannelAttention(Pair, of=core.ChannelAttention):
    """Keeps means, maxima and where they are. The gradient takes one pass for the gate's, and one that writes it."""

    dtypes = (*Pair.dtypes, torch.bfloat16)
    alone = (torch.bfloat16,)  # in others, the plain form has as few passes

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute M_c * x."""
        pools = pooled(self.block, x, differentiated)
        return ops.scale(x, gate(self.block, self.layer, *pools[:2])), pools

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """With g the pull: dL/dM_c = sum of g * x, and dL/dx = g * M_c + dL/dmean / HW; dL/dmax is added at maxima."""
        mean, largest, index = moving(kept[0], moves), moving(kept[1], moves), kept[2]
        with torch.enable_grad():
            scale = gate(self.block, p, mean, largest)
        pull_back(scale, kernels.dots_and_sums(pull, x)[0])
        if not moves:
            return None
        scale = scale.detach()
        if mean is None:
            result = ops.scale(pull, scale)
        else:
            result = kernels.shifted_scaled(pull, scale, left(mean) / x[0, 0].numel())
        if index is not None:
            kernels.spread(left(largest), index, result)
        return result


def pooled(block: core.ChannelAttention, x: Tensor, indexed: bool) -> Kept:
    """Return means, maxima, and the pixels that have them if wanted; None for what the block does not ask for."""
    mean = kernels.spatial_mean(x) if block.pools != "max" else None
    largest, index = kernels.spatial_max(x, indexed) if block.pools != "mean" else (None, None)
    return mean, largest, index


def gate(block: core.ChannelAttention, p: Any, mean: Tensor | None, largest: Tensor | None) -> Tensor:
    """Compute M_c of what is pooled."""
    gates: dict[str, Tensor] = block.gates(Known(global_mean=mean, global_max=largest), p, None)  # type: ignore[arg-type]
    return gates["channel"]
