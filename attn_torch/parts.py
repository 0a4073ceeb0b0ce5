"""The parts as PyTorch modules, and their laws of initialisation."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from torch import Tensor, nn

from attn_core.spec import Block, Part, parts
from attn_core.spec.initializers import Constant, Directions, Initializer, Normal, TruncatedNormal, Uniform, Values
from attn_torch import ops
from attn_torch.running import Running

# By the number of spatial axes, from one.
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


@singledispatch
def native(part: Part | Block, **placement: Any) -> nn.Module:
    """Return the module for this part; its `state_dict` has the part's names and shapes.

    That of a block is registered by `attn_torch.layer`.
    """
    raise NotImplementedError(f"attn_torch has no {type(part).__name__}")


@native.register
def _dense(part: parts.Dense, **placement: Any) -> nn.Module:
    return nn.Linear(part.inputs, part.outputs, bias=part.bias, **placement)


@native.register
def _conv(part: parts.Conv, **placement: Any) -> nn.Module:
    options: dict[str, Any] = {
        "stride": part.stride,
        "dilation": part.dilation,
        "groups": part.groups,
        "bias": part.bias,
    }
    kinds: tuple[type, ...] = CONVOLUTIONS
    if part.padding == "same" and (part.stride > 1 or not all(length % 2 for length in part.kernel)):
        kinds = SAME_CONVOLUTIONS
    elif part.padding != "valid":
        options["padding"] = tuple(length // 2 for length in part.reach)
    module: nn.Module = kinds[part.rank - 1](part.inputs, part.outputs, part.kernel, **options, **placement)
    return module


class Same:
    """A convolution that pads as TensorFlow's SAME where that is not symmetric, or depends on the size."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the padded image."""
        reach = tuple(rate * (n - 1) + 1 for rate, n in zip(self.dilation, self.kernel_size, strict=True))
        y: Tensor = super().forward(ops.pad_same(x, reach, self.stride))  # type: ignore[misc]
        return y


class SameConv1d(Same, nn.Conv1d):
    """A convolution over lines, padded as TensorFlow's SAME."""


class SameConv2d(Same, nn.Conv2d):
    """A convolution over images, padded as TensorFlow's SAME."""


class SameConv3d(Same, nn.Conv3d):
    """A convolution over volumes, padded as TensorFlow's SAME."""


SAME_CONVOLUTIONS = (SameConv1d, SameConv2d, SameConv3d)


@native.register
def _batch_norm(part: parts.BatchNorm, **placement: Any) -> nn.Module:
    return BATCH_NORMS[max(part.rank, 1) - 1](part.channels, part.eps, part.momentum, **placement)


@native.register
def _group_norm(part: parts.GroupNorm, **placement: Any) -> nn.Module:
    return nn.GroupNorm(part.groups, part.channels, part.eps, **placement)


@native.register
def _layer_norm(part: parts.LayerNorm, **placement: Any) -> nn.Module:
    return nn.LayerNorm(part.features, part.eps, **placement)


@native.register
def _dropout(part: parts.Dropout, **placement: Any) -> nn.Module:
    return nn.Dropout(part.rate)


class Affine(nn.Module):
    """Multiply each channel of an image or a vector with a number and, with a bias, add another."""

    bias: Tensor | None

    def __init__(self, channels: int, bias: bool = True, **placement: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, **placement))
        self.register_parameter("bias", nn.Parameter(torch.empty(channels, **placement)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        """Compute weight * x + bias."""
        scaled = ops.scale(x, self.weight)
        return scaled if self.bias is None else ops.shift(scaled, self.bias)

    def extra_repr(self) -> str:
        """Show the number of channels in `print(model)`."""
        return str(len(self.weight))


@native.register
def _affine(part: parts.Affine, **placement: Any) -> nn.Module:
    return Affine(part.channels, part.bias, **placement)


@native.register
def _running(part: parts.Running, **placement: Any) -> nn.Module:
    return Running(part.shape, part.momentum, **placement)


@singledispatch
def fill(law: Initializer, tensor: Tensor) -> None:
    """Draw fresh values into the tensor."""
    raise NotImplementedError(f"attn_torch has no {type(law).__name__}")


@fill.register
def _constant(law: Constant, tensor: Tensor) -> None:
    nn.init.constant_(tensor, law.value)


@fill.register
def _truncated_normal(law: TruncatedNormal, tensor: Tensor) -> None:
    """Draw again what lies beyond; PyTorch's `trunc_normal_` draws everything again, which takes ten times as long."""
    if tensor.is_meta:
        return
    with torch.no_grad():
        tensor.normal_(0, law.std)
        beyond = (tensor.abs() > 2 * law.std).nonzero(as_tuple=True)
        while len(beyond[0]):
            tensor[beyond] = drawn = torch.empty_like(tensor[beyond]).normal_(0, law.std)
            left = drawn.abs() > 2 * law.std
            beyond = tuple(axis[left] for axis in beyond)


@fill.register
def _normal(law: Normal, tensor: Tensor) -> None:
    nn.init.normal_(tensor, 0, law.std)


@fill.register
def _uniform(law: Uniform, tensor: Tensor) -> None:
    nn.init.uniform_(tensor, -law.bound, law.bound)


@fill.register
def _values(law: Values, tensor: Tensor) -> None:
    with torch.no_grad():
        tensor.copy_(torch.tensor(law.values).reshape(tensor.shape))


@fill.register
def _directions(law: Directions, tensor: Tensor) -> None:
    with torch.no_grad():
        nn.init.normal_(tensor)
        tensor.div_(torch.linalg.vector_norm(tensor, dim=-1, keepdim=True))
