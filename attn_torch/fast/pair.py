"""A block as a pair of formulas, one forwards and one backwards, that keep the image and little more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attn_core.spec import Block
from attn_torch import ops
from attn_torch.fast.bare import Bare, tensors
from attn_torch.fast.taken import batched, taken
from attn_torch.layer import FAST, Layer

Kept = tuple[Tensor, ...]


class Pair:
    """The two formulas of a block, for one call of a layer.

    ``class CBAM(Pair, of=core.CBAM)`` is taken for blocks of `core.CBAM`, where `taken` lets it. What is small, as the
    way from means to gates, formulas leave to the block's own functions, and gradients of it to autograd.
    """

    def __init_subclass__(cls, of: type[Block]) -> None:
        FAST[of] = cls.run

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.block: Any = layer.block

    @classmethod
    def run(cls, layer: Layer, x: Tensor) -> Tensor | None:
        """Compute a layer's output, or return None where this is not for the fast form."""
        if not (taken(layer, x) and cls.fits(layer, x)):
            return None
        pair, weights = cls(layer), tensors(layer)
        if not torch.is_grad_enabled() or not any(each is not None and each.requires_grad for each in (x, *weights)):
            return pair.forward(x, differentiated=False)[0]
        output: Tensor = _Taped.apply(pair, x, *weights)  # type: ignore[no-untyped-call]
        return output

    @classmethod
    def fits(cls, layer: Layer, x: Tensor) -> bool:
        """Say whether the image has the layer's channels, and whatever else the formulas rely on."""
        return x.ndim > 2 and x.shape[1] == layer.block.channels  # type: ignore[attr-defined]

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute the output, and what `backward` needs beside image and weights."""
        raise NotImplementedError

    def backward(self, p: Bare, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """Return the image's gradient if it moves, and leave those of the weights in the parts of `p`."""
        raise NotImplementedError


class Known:
    """The primitives, some of whose results are known."""

    def __init__(self, **results: Tensor) -> None:
        self._results = results

    def __getattr__(self, name: str) -> Any:
        known = self._results.get(name)
        return getattr(ops, name) if known is None else lambda *_: known


def pull_back(output: Tensor, pull: Tensor) -> None:
    """Leave gradients in the leaves of what a formula computed with autograd, if any of them moves."""
    if output.requires_grad:
        output.backward(pull)  # type: ignore[no-untyped-call]


def gradient(leaf: Tensor) -> Tensor:
    """Return what was left in a leaf."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


class _Taped(torch.autograd.Function):
    """What autograd calls; where this gradient is to be differentiated again, it takes that of the plain form."""

    @staticmethod
    def forward(ctx: Any, pair: Pair, x: Tensor, *weights: Tensor | None) -> Tensor:
        output, kept = pair.forward(x, differentiated=True)
        ctx.pair, ctx.count = pair, 1 + len(weights)
        ctx.save_for_backward(x, *weights, *kept)
        return output

    @staticmethod
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor | None, ...]:
        saved, moves, (pull,) = ctx.saved_tensors, ctx.needs_input_grad[1:], pulls  # once: checkpoints compute them
        given = saved[: ctx.count]
        if torch.is_grad_enabled() or batched(pull):
            return None, *_plain(ctx.pair.layer, given, moves, pull)
        # Leaves of their own: what stands between means and gates leaves its gradients there.
        x, *weights = (_leaf(each, wanted) for each, wanted in zip(given, moves, strict=True))
        kept = tuple(each.detach() for each in saved[ctx.count :])
        image = ctx.pair.backward(Bare(ctx.pair.layer, iter(weights)), x.detach(), kept, pull.contiguous(), moves[0])
        return None, image, *(each.grad if wanted else None for each, wanted in zip(weights, moves[1:], strict=True))


def _leaf(tensor: Tensor | None, moves: bool) -> Any:
    return None if tensor is None else tensor.detach().requires_grad_(moves)


def _view(tensor: Tensor | None, moves: bool) -> Any:
    return tensor.view_as(tensor) if tensor is not None and moves else tensor


def _plain(layer: Layer, given: Sequence[Tensor | None], moves: Sequence[bool], pull: Tensor) -> list[Tensor | None]:
    """Return the gradients of the plain form. Of views, or hooks of the tensors would be called here, too."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        views = [_view(each, wanted) for each, wanted in zip(given, moves, strict=True)]
        output = Bare(layer, iter(views[1:]))(views[0])
    moving = [each for each in views if each is not None and each.requires_grad]
    found = iter(torch.autograd.grad(output, moving, pull, create_graph=again, allow_unused=True))
    return [next(found) if wanted else None for wanted in moves]
