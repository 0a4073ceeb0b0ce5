"""The parts of a layer as functions of weights that are given: what a gradient is computed with a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import singledispatch
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from attn_torch import ops
from attn_torch.layer import Layer
from attn_torch.parts import Affine

Weights = Iterator[Any]  # tensors, or None where a part has none


def tensors(layer: Layer) -> list[Tensor | None]:
    """Return what a layer computes with, part by part: its weights, and the running statistics that it reads."""
    return [tensor for part in layer._modules.values() for tensor in _tensors(part)]


def _tensors(part: nn.Module | None) -> list[Tensor | None]:
    if isinstance(part, Layer):
        return tensors(part)
    weights: list[Tensor | None] = [] if part is None else [*part._parameters.values()]
    if isinstance(part, _BatchNorm):
        return [*weights, *((None, None) if part.training else (part.running_mean, part.running_var))]
    return weights


class Bare:
    """A layer's parts by their names, with these `tensors` in place of its own. Nothing hooks in, nothing moves."""

    def __init__(self, layer: Layer, given: Weights) -> None:
        self._block = layer.block
        for name, part in layer._modules.items():
            setattr(self, name, bare(part, given))

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Compute the block as it is stated."""
        output: Tensor = self._block.forward(ops, self, *inputs)
        return output


class Function:
    """What a part computes, with its weights by their names."""

    def __init__(self, run: Callable[..., Tensor], given: Weights) -> None:
        self._run = run
        self.weight, self.bias = next(given), next(given)

    def __call__(self, x: Tensor) -> Tensor:
        """Compute it."""
        return self._run(x, self.weight, self.bias)


@singledispatch
def bare(part: nn.Module | None, given: Weights) -> Callable[..., Tensor]:
    """Return what a part computes, of the next tensors that are given."""
    raise NotImplementedError(f"attn_torch.fast has no bare {type(part).__name__}")


bare.register(Layer, Bare)


@bare.register
def _linear(part: nn.Linear, given: Weights) -> Callable[..., Tensor]:
    return Function(functional.linear, given)


@bare.register
def _conv(part: _ConvNd, given: Weights) -> Callable[..., Tensor]:
    return Function(part._conv_forward, given)


@bare.register
def _layer_norm(part: nn.LayerNorm, given: Weights) -> Callable[..., Tensor]:
    return Function(lambda x, w, b: functional.layer_norm(x, part.normalized_shape, w, b, part.eps), given)


@bare.register
def _group_norm(part: nn.GroupNorm, given: Weights) -> Callable[..., Tensor]:
    return Function(lambda x, w, b: functional.group_norm(x, part.num_groups, w, b, part.eps), given)


@bare.register
def _affine(part: Affine, given: Weights) -> Callable[..., Tensor]:
    return Function(lambda x, weight, bias: ops.shift(ops.scale(x, weight), bias), given)


@bare.register
def _batch_norm(part: _BatchNorm, given: Weights) -> Callable[..., Tensor]:
    """With the moments of the batch where no running ones are given: those of a part in training."""

    def normalised(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        return functional.batch_norm(x, mean, variance, weight, bias, mean is None, eps=part.eps)

    found = Function(normalised, given)
    mean, variance = next(given), next(given)
    return found
