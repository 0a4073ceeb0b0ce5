"""Global context.

A step of training takes 0.3 of the plain form's time (8 x 256 x 56 x 56, one thread, as docs/fast.md has it), the call
alone 0.4.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_core.blocks.global_context import FUSIONS
from attn_torch import ops
from attn_torch.fast import kernels
from attn_torch.fast.pair import Kept, Pair, leave, left, moving, pull_back


class GlobalContext(Pair, of=core.GlobalContext):
    """Keeps the weights of the pixels and their mean. Makes no tokens; two terms of the gradient are a product."""

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute z."""
        weights, context = self._attend(x)
        return self._fused(x, *self._fusion(self.layer, context)), (weights, context)

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """With g the pull, a the weights and l their logits: dL/dx = g * factor + dL/dc a + W_k dL/dl."""
        weights, context = kept[0], moving(kept[1])
        with torch.enable_grad():
            factor, shift = self._fusion(p, context)
        if factor is None:
            pull_back(shift, kernels.spatial_sum(pull))
        else:
            dots, sums = kernels.dots_and_sums(pull, x)
            pull_back(factor, dots)
            pull_back(shift, sums)
        to_context = left(context)
        if weights is None:
            return self._fused(pull, factor, to_context / pull[0, 0].numel()) if moves else None
        pixels = x.flatten(2)
        to_weights = torch.bmm(to_context[:, None], pixels)
        to_logits = weights * (to_weights - (weights * to_weights).sum(-1, keepdim=True))
        leave(p.mask.weight, torch.bmm(to_logits, pixels.mT).sum(0))
        leave(p.mask.bias, to_logits.sum())
        if not moves:
            return None
        columns = torch.stack([to_context, p.mask.weight.detach().expand_as(to_context)], 2)
        rows = torch.cat([weights, to_logits], 1)
        pulls = self._fused(pull, factor, None).flatten(2)
        return torch.baddbmm(pulls, columns, rows, out=None if factor is None else pulls).view(x.shape)

    def _attend(self, x: Tensor) -> tuple[Tensor | None, Tensor]:
        """Compute the weights of the pixels (batch, 1, pixels), if there are any, and their mean c."""
        if self.block.pool == "mean":
            return None, kernels.spatial_mean(x)
        mask, pixels = self.layer.mask, x.flatten(2)
        logits = torch.bmm(mask.weight.expand(len(x), 1, -1), pixels)
        weights = torch.softmax(logits if mask.bias is None else logits.add_(mask.bias), -1)
        return weights, torch.bmm(weights, pixels.mT)[:, 0]  # five times as fast as pixels @ weights

    def _fusion(self, p: Any, context: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Compute what the image is scaled with and what is added to it."""
        ways = FUSIONS[self.block.fusion]
        found = {way: self.block.transform(ops, p, way, context) for way in ways}
        return found["scale"].sigmoid() if "scale" in ways else None, found.get("add")

    @staticmethod
    def _fused(x: Tensor, factor: Tensor | None, shift: Tensor | None) -> Tensor:
        """Compute factor * x + shift for each channel, with what is there of the two."""
        if factor is None:
            return x if shift is None else ops.shift(x, shift)
        return ops.scale(x, factor.detach()) if shift is None else kernels.shifted_scaled(x, factor.detach(), shift)
