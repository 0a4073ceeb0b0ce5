"""Squeeze-and-excitation.

A step of training takes 0.6 of the plain form's time (8 x 256 x 56 x 56, one thread, as docs/fast.md has it), in
bfloat16 0.4, and the call alone in bfloat16 0.6.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_torch import ops
from attn_torch.fast import kernels
from attn_torch.fast.pair import Kept, Known, Pair, left, moving, pull_back
from attn_torch.layer import Layer


class SqueezeExcitation(Pair, of=core.SqueezeExcitation):
    """Keeps the means. The gradient takes one pass over the image for the gate's, and one that writes the image's."""

    dtypes = (*Pair.dtypes, torch.bfloat16)
    alone = (torch.bfloat16,)  # in others, the plain form has as few passes

    @classmethod
    def fits(cls, layer: Layer, x: Tensor) -> bool:
        """Say whether it is the paper's: nothing normalised, the image not added."""
        block: Any = layer.block
        return not (block.norm or block.residual) and super().fits(layer, x)

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute s * x."""
        mean = kernels.spatial_mean(x)
        return ops.scale(x, self._gate(self.layer, mean)), (mean,)

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """With g the pull: dL/ds = sum of g * x, and dL/dx = g * s + dL/dz / HW."""
        mean = moving(kept[0], moves)
        with torch.enable_grad():
            gate = self._gate(p, mean)
        pull_back(gate, kernels.dots_and_sums(pull, x)[0])
        return kernels.shifted_scaled(pull, gate.detach(), left(mean) / x[0, 0].numel()) if moves else None

    def _gate(self, p: object, mean: Tensor) -> Tensor:
        gate: Tensor = self.block.gates(Known(global_mean=mean), p, mean)["channel"]
        return gate
