"""A block as a pair of formulas, one forwards and one backwards, that keep the image and little more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from attn_core.spec import Block
from attn_torch import ops
from attn_torch.fast.bare import Bare, tensors
from attn_torch.fast.taken import batched, taken
from attn_torch.layer import FAST, Layer

Kept = tuple[Any, ...]  # tensors, or None where there is none


class Pair:
    """The two formulas of a block, for one call of a layer.

    ``class CBAM(Pair, of=core.CBAM)`` is taken for blocks of `core.CBAM`, where `taken` lets it. What is small, as the
    way from means to gates, formulas leave to the block's own functions, and gradients of it to autograd.
    """

    dtypes: ClassVar[tuple[torch.dtype, ...]] = (torch.float32, torch.float64)  # of images that are taken
    alone: ClassVar[tuple[torch.dtype, ...]] = dtypes  # of those that are taken also without a gradient

    def __init_subclass__(cls, of: type[Block]) -> None:
        FAST[of] = cls.run

    def __init__(self, layer: Layer) -> None:
        self.layer: Any = layer  # whose parts have no types here
        self.block: Any = layer.block

    @classmethod
    def run(cls, layer: Layer, x: Tensor) -> Tensor | None:
        """Compute a layer's output, or return None where this is not for the fast form."""
        if not (taken(layer, x, cls.dtypes) and cls.fits(layer, x)):
            return None
        pair, weights = cls(layer), tensors(layer)
        if torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in (x, *weights)):
            output: Tensor = _Taped.apply(pair, x, *weights)  # type: ignore[no-untyped-call]
            return output
        return pair.forward(x, differentiated=False)[0] if x.dtype in cls.alone else None

    @classmethod
    def fits(cls, layer: Layer, x: Tensor) -> bool:
        """Say whether the image has the layer's channels, and whatever else the formulas rely on."""
        return x.ndim > 2 and x.shape[1] == layer.block.channels  # type: ignore[attr-defined]

    def forward(self, x: Tensor, differentiated: bool) -> tuple[Tensor, Kept]:
        """Compute the output, and what `backward` needs beside image and weights."""
        raise NotImplementedError

    def backward(self, p: Any, x: Tensor, kept: Kept, pull: Tensor, moves: bool) -> Tensor | None:
        """Return the image's gradient if it moves, and leave those of the weights in the parts of `p`."""
        raise NotImplementedError


class Known:
    """The primitives, some of whose results are known; those that are None are not."""

    def __init__(self, **results: Tensor | None) -> None:
        self._results = results

    def __getattr__(self, name: str) -> Any:
        known = self._results.get(name)
        return getattr(ops, name) if known is None else lambda *_: known


# ---- what is small is left to autograd -------------------------------------------------------------------------------


def moving(tensor: Tensor | None, moves: bool = True) -> Any:
    """Return a leaf of a graph of its own, in which a gradient may be left; None stays None."""
    return None if tensor is None else tensor.detach().requires_grad_(moves)


def pull_back(output: Tensor | None, pull: Tensor) -> None:
    """Leave gradients in the leaves that an output was computed from, if there is one and any of them moves."""
    if output is not None and output.requires_grad:
        output.backward(pull)  # type: ignore[no-untyped-call]


def leave(leaf: Tensor | None, gradient: Tensor) -> None:
    """Leave a gradient that was computed otherwise."""
    if leaf is not None and leaf.requires_grad:
        leaf.grad = gradient.view_as(leaf)


def left(leaf: Tensor) -> Tensor:
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
        moves, pair, (pull,) = ctx.needs_input_grad[1:], ctx.pair, pulls
        saved = ctx.saved_tensors  # asked for once: checkpointing computes them
        given, kept = saved[: ctx.count], saved[ctx.count :]
        if torch.is_grad_enabled() or batched(pull):
            return None, *_plain(pair.layer, given, moves, pull)
        x, *weights = (moving(each, moved) for each, moved in zip(given, moves, strict=True))
        image = pair.backward(Bare(pair.layer, iter(weights)), x.detach(), kept, pull.contiguous(), moves[0])
        return None, image, *(each.grad if moved else None for each, moved in zip(weights, moves[1:], strict=True))


def _plain(layer: Layer, given: Sequence[Tensor | None], moves: Sequence[bool], pull: Tensor) -> list[Tensor | None]:
    """Return the gradients of the plain form. Of views, or hooks of the tensors would be called here, too."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        views: list[Any] = [None if each is None else each.view_as(each) for each in given]
        output = Bare(layer, iter(views[1:]))(views[0])
    wanted = [each for each, moved in zip(views, moves, strict=True) if moved]
    found = iter(torch.autograd.grad(output, wanted, pull, create_graph=again, allow_unused=True))
    return [next(found) if moved else None for moved in moves]
