"""Shuffle attention.

A step of training takes 0.65 of the plain form's time (8 x 256 x 56 x 56, one thread, as docs/fast.md has it), the call
alone 0.6. Less than half as much is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from attn_core import blocks as core
from attn_torch.fast import kernels
from attn_torch.fast.pair import Kept, Pair, left, moving, pull_back
from attn_torch.layer import Layer


class ShuffleAttention(Pair, of=core.ShuffleAttention):
    """Keeps moments of the channels; halves are views, and results are written to their shuffled places at once."""

    @classmethod
    def fits(cls, layer: Layer, x: Tensor) -> bool:
        """Say whether the image has the channels, and no group lies in both halves of the shuffle."""
        return layer.block.groups % 2 == 0 and super().fits(layer, x)  # type: ignore[attr-defined]

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute the scaled halves, shuffled."""
        output = torch.empty_like(x)
        (first, second), (to_first, to_second) = self._halves(x), self._shuffled(output)
        mean = first.sum(-1).div_(first.shape[-1])
        torch.mul(first, self._channel(self.layer, mean)[..., None], out=to_first)
        weight, bias = self._affine(self.layer)
        moments = []
        for half, written in kernels.some(second, to_second):
            rows, sizes = self._rows(half)
            gate, *found = torch.native_group_norm(rows, weight, bias, *sizes, self.layer.norm.eps)
            torch.mul(half, gate.sigmoid_().view(half.shape), out=written)
            moments.append(found)
        return output, (mean, *map(torch.cat, zip(*moments, strict=True)))

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """With g the pull: of the first halves g * s and dL/dmean / HW, of the second g * s and the norm's gradient."""
        result = torch.empty_like(x)
        first, second = zip(self._halves(x), self._shuffled(pull), self._halves(result), strict=True)
        self._pull_first(p, kept, *first)
        self._pull_second(p, kept, *second)
        return result if moves else None

    def _pull_first(self, p: Any, kept: Kept, x: Tensor, pull: Tensor, result: Tensor) -> None:
        mean = moving(kept[0])
        with torch.enable_grad():
            gate = self._channel(p, mean)
        dots = [torch.mul(*each).sum(-1) for each in kernels.some(x, pull)]
        pull_back(gate, torch.cat(dots))
        scale, shift = gate.detach()[..., None], (left(mean) / x.shape[-1])[..., None]
        for pulls, factor, offset, written in kernels.some(pull, scale, shift, result):
            torch.mul(pulls, factor, out=written).add_(offset)

    def _pull_second(self, p: Any, kept: Kept, x: Tensor, pull: Tensor, result: Tensor) -> None:
        with torch.enable_grad():
            affine = self._affine(p)
        weight, bias = (each.detach() for each in affine)
        mean, inverse = (each.view(len(x), -1, self.block.width) for each in kept[1:])
        to_weight, to_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        for half, pulls, written, *moments in kernels.some(x, pull, result, mean, inverse):
            rows, sizes = self._rows(half)
            means, inverses = (moment.view(-1, self.block.width) for moment in moments)
            scale = inverses * weight
            gate = kernels.shifted_scaled(rows, scale, bias - means * scale).sigmoid_()
            product = torch.mul(half, pulls).view(rows.shape)
            torch.ops.aten.sigmoid_backward.grad_input(product, gate, grad_input=product)
            through, one, other = torch.ops.aten.native_group_norm_backward(
                product, rows, means, inverses, weight, *sizes, [True, True, True]
            )
            torch.addcmul(through.view(half.shape), pulls, gate.view(half.shape), out=written)
            to_weight += one
            to_bias += other
        pull_back(affine[0], to_weight)
        pull_back(affine[1], to_bias)

    # ---- the gates ---------------------------------------------------------------------------------------------------

    def _channel(self, p: Any, mean: Tensor) -> Tensor:
        """Compute the gates of the first halves; the groups are samples."""
        return torch.sigmoid(p.channel(mean.view(-1, self.block.width))).view(mean.shape)

    @staticmethod
    def _affine(p: Any) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the norm and the affine part after it, as one."""
        return p.spatial.weight * p.norm.weight, p.spatial.weight * p.norm.bias + p.spatial.bias

    # ---- where numbers stand -----------------------------------------------------------------------------------------

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return views of both halves of all groups: (batch, 2, groups / 2, width, pixels)."""
        first, second = x.view(len(x), 2, self.block.groups // 2, 2, self.block.width, -1).unbind(3)
        return first, second

    def _shuffled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return views of where both halves are after the shuffle, in the same order."""
        places = x.view(len(x), self.block.groups // 2, 2, self.block.width, 2, -1).permute(0, 4, 1, 2, 3, 5)
        first, second = places.unbind(3)
        return first, second

    def _rows(self, half: Tensor) -> tuple[Tensor, tuple[int, int, int, int]]:
        """Return halves, contiguous, with the groups as samples; and their numbers as group norm asks for them."""
        width, pixels = half.shape[-2:]
        rows = half.reshape(-1, width, pixels).contiguous()
        return rows, (len(rows), width, pixels, width)
