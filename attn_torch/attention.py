"""Softmax attention: PyTorch's kernel, which never holds the matrix; where it has no derivative, the plain form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional


def attention(query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
    """Return softmax(factor * query keyᵀ) value, which can be differentiated as often as one likes, in both modes."""
    if torch.compiler.is_compiling() or torch._C._is_tracing():
        return kernel(query, key, value, factor)
    if _beyond_the_kernel():
        return plain(query, key, value, factor)
    if torch._C._are_functorch_transforms_active() or not torch.is_grad_enabled():
        return kernel(query, key, value, factor)
    output: Tensor = _Attention.apply(query, key, value, factor)  # type: ignore[no-untyped-call]
    return output


def plain(query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
    """Compute it with the matrix."""
    return torch.softmax(factor * (query @ key.mT), -1) @ value


def kernel(query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
    """Compute it without the matrix.

    Only with an axis of heads, one width for all and a contiguous last axis does the CPU have a kernel that never
    holds the matrix; zeros that widen query and key, or value, leave its numbers as they are.
    """
    width = max(query.shape[-1], value.shape[-1])
    q, k, v = (_widened(x, width)[:, None] for x in (query, key, value))
    return functional.scaled_dot_product_attention(q, k, v, scale=factor)[:, 0, :, : value.shape[-1]]


def _widened(x: Tensor, width: int) -> Tensor:
    missing = width - x.shape[-1]
    return functional.pad(x, (0, missing)) if missing else x.contiguous()


def _beyond_the_kernel() -> bool:
    """Say whether a derivative is carried forwards, or `torch.func` takes one of a gradient: the kernel has neither."""
    if forward_ad._current_level >= 0:
        return True
    stack = torch._C._functorch.get_interpreter_stack() or ()
    return sum(each.key() == torch._C._functorch.TransformType.Grad for each in stack) > 1


class _Attention(torch.autograd.Function):
    """The kernel with its own gradient; where that is to be differentiated again, that of the plain form."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
        q, k, v = (x.detach().requires_grad_(x.requires_grad) for x in (query, key, value))
        with torch.enable_grad():
            output = kernel(q, k, v, factor)
        ctx.save_for_backward(query, key, value)
        ctx.inner, ctx.factor = ((q, k, v), output), factor
        return output.detach()

    @staticmethod
    def backward(ctx: Any, pull: Tensor) -> tuple[Tensor | None, ...]:
        inputs, output = ctx.inner
        if torch.is_grad_enabled():  # somebody asked for a graph of this gradient
            inputs = q, k, v = tuple(x.view_as(x) for x in ctx.saved_tensors)  # one array may be all three
            output = plain(q, k, v, ctx.factor)
        wanted = [x for x in inputs if x.requires_grad]
        again = torch.is_grad_enabled()
        gradients = torch.autograd.grad(output, wanted, pull.to(output.dtype), retain_graph=True, create_graph=again)
        found = iter(gradients)
        return (*(next(found) if x.requires_grad else None for x in inputs), None)
