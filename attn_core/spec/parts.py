"""The sub-layers that blocks are made of. Every framework has each of them natively.

Names and layouts of their arrays are PyTorch's. `start` says how a layer's arrays begin, `law` and `bias_law` what one
of them does in spite of it.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

from attn_core.spec.block import Array, Part, require
from attn_core.spec.initializers import TORCH, Constant, Initializer, Start
from attn_core.spec.windows import PADDINGS

ZERO, ONE = Constant(0.0), Constant(1.0)


@dataclass(frozen=True)
class Dense(Part):
    """y = W x + b on the last axis: a vector (batch, inputs) or tokens (batch, positions, inputs) to outputs."""

    inputs: int
    outputs: int
    _: KW_ONLY
    bias: bool = True
    start: Start = TORCH
    law: Initializer | None = None
    bias_law: Initializer | None = None

    def arrays(self) -> dict[str, Array]:
        """Return `weight` (outputs, inputs) and, with a bias, `bias` (outputs,)."""
        fans = self.inputs, self.outputs
        weight = Array((self.outputs, self.inputs), self.law or self.start.weight(*fans))
        bias = {"bias": Array((self.outputs,), self.bias_law or self.start.bias(*fans))} if self.bias else {}
        return {"weight": weight, **bias}


@dataclass(frozen=True)
class Conv(Part):
    """A convolution (without flipping the kernel) of an image of `len(kernel)` spatial axes, as deep learning has it.

    `padding` says which zeros are added along each axis (see `attn_core.spec.windows`): "symmetric", kernel // 2 on
    both sides, for odd kernels; "same", TensorFlow's SAME, which with a stride depends on the size; "valid", none. With
    the first two, sizes become ceil(size / stride). With a `dilation`, the kernel's numbers are that many pixels apart;
    zeros are added for the pixels that it then reaches over. No framework here has both a dilation and a stride.
    """

    inputs: int
    outputs: int
    kernel: tuple[int, ...]
    _: KW_ONLY
    stride: int = 1
    padding: str = "symmetric"
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    start: Start = TORCH
    law: Initializer | None = None
    bias_law: Initializer | None = None

    def __post_init__(self) -> None:
        require(self.stride == 1 or self.dilation == 1, f"{self!r}: a dilation needs stride 1.")
        require(self.padding in PADDINGS, f"{self!r}: padding must be one of {', '.join(PADDINGS)}.")
        centred = self.padding != "symmetric" or all(length % 2 for length in self.kernel)
        require(centred, f"{self!r}: a kernel with symmetric padding must be odd, so that it has a centre.")

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel)

    @property
    def reach(self) -> tuple[int, ...]:
        """From the first to the last pixel under the kernel, along each axis."""
        return tuple(self.dilation * (length - 1) + 1 for length in self.kernel)

    def arrays(self) -> dict[str, Array]:
        """Return `weight` (outputs, inputs / groups, *kernel) and, with a bias, `bias` (outputs,)."""
        shape = (self.outputs, self.inputs // self.groups, *self.kernel)
        fans = math.prod(shape[1:]), self.outputs * math.prod(self.kernel)
        weight = Array(shape, self.law or self.start.weight(*fans))
        bias = {"bias": Array((self.outputs,), self.bias_law or self.start.bias(*fans))} if self.bias else {}
        return {"weight": weight, **bias}


@dataclass(frozen=True)
class BatchNorm(Part):
    """y = (x - mean) / sqrt(variance + eps) * weight + bias, for each channel of an image of `rank` spatial axes.

    With the rank 0 it is that of vectors.

    In training, mean and (biased) variance are those of the batch, and the running ones move:
    running <- (1 - momentum) * running + momentum * batch. The running variance moves towards the unbiased variance,
    as in PyTorch, in the reference and in PyTorch; towards the biased one, as always there, in Keras and Flax.
    Otherwise the running ones are used. `momentum` is PyTorch's, 1 minus that of Keras and Flax.
    """

    channels: int
    rank: int
    _: KW_ONLY
    momentum: float = 0.1
    eps: float = 1e-5
    law: Initializer = ONE

    def arrays(self) -> dict[str, Array]:
        """Return `weight`, `bias`, `running_mean` and `running_var`, each (channels,)."""
        shape = (self.channels,)
        running = {"running_mean": Array(shape, ZERO, trainable=False), "running_var": Array(shape, ONE, False)}
        return {"weight": Array(shape, self.law), "bias": Array(shape, ZERO), **running}


@dataclass(frozen=True)
class GroupNorm(Part):
    """y = (x - mean) / sqrt(variance + eps) * weight + bias with mean and variance of a sample's group of channels."""

    channels: int
    groups: int
    _: KW_ONLY
    eps: float = 1e-5

    def arrays(self) -> dict[str, Array]:
        """Return `weight` and `bias`, each (channels,)."""
        return {"weight": Array((self.channels,), ONE), "bias": Array((self.channels,), ZERO)}


@dataclass(frozen=True)
class LayerNorm(Part):
    """y = (x - mean) / sqrt(variance + eps) * weight + bias with mean and variance over the last axis of a vector."""

    features: int
    _: KW_ONLY
    eps: float = 1e-5

    def arrays(self) -> dict[str, Array]:
        """Return `weight` and `bias`, each (features,)."""
        return {"weight": Array((self.features,), ONE), "bias": Array((self.features,), ZERO)}


@dataclass(frozen=True)
class Affine(Part):
    """y = weight * x + bias, one number of each for a channel, of an image or a vector."""

    channels: int
    _: KW_ONLY
    bias: bool = True
    law: Initializer = ONE
    bias_law: Initializer = ZERO

    def arrays(self) -> dict[str, Array]:
        """Return `weight` and, with a bias, `bias`, each (channels,)."""
        shape = (self.channels,)
        bias = {"bias": Array(shape, self.bias_law)} if self.bias else {}
        return {"weight": Array(shape, self.law), **bias}


@dataclass(frozen=True)
class Dropout(Part):
    """In training, set each number to 0 with the probability `rate` and divide the others by 1 - rate.

    Without weights. Every framework draws its own numbers, so only a rate of 0 is the same everywhere in training.
    """

    rate: float

    def __post_init__(self) -> None:
        require(0 <= self.rate < 1, f"{self!r}: rate must be at least 0 and less than 1.")

    def arrays(self) -> dict[str, Array]:
        """Return none."""
        return {}


@dataclass(frozen=True)
class Running(Part):
    """An array that no gradient moves: `p.name()` returns it, `p.name.update(new)` moves it in training.

    value <- (1 - momentum) * value + momentum * new; outside of training an update does nothing. Nor does one to a
    value with a NaN in it, such as the mean of a batch without samples: it would stay for good.
    """

    shape: tuple[int, ...]
    law: Initializer
    _: KW_ONLY
    momentum: float = 0.1

    def arrays(self) -> dict[str, Array]:
        """Return `value`."""
        return {"value": Array(self.shape, self.law, trainable=False)}
