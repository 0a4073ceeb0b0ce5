"""The laws that fresh weights follow. Bounds are numbers, never names such as "he".

A `Start` is what somebody's code says of a whole layer: the laws of its weight and of its bias, by the numbers that go
into one of its outputs (`fan_in`) and that one of its inputs goes to (`fan_out`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class Initializer:
    """A law for the values of a fresh array."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Initializer):
    """Every value is `value`."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        return np.full(shape, self.value)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal with mean 0 and deviation `std`; values beyond 2 `std` are drawn again.

    The cut makes the values' own deviation 0.8796 `std`.
    """

    std: float

    def __str__(self) -> str:
        return f"normal, std {self.std:.4g}, cut at {2 * self.std:.4g}"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        values = rng.standard_normal(shape)
        while (beyond := np.abs(values) > 2).any():
            values[beyond] = rng.standard_normal(np.count_nonzero(beyond))
        return self.std * values


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0 and deviation `std`."""

    std: float

    def __str__(self) -> str:
        return f"normal, std {self.std:.4g}"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        return self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Every value between -`bound` and `bound` alike."""

    bound: float

    def __str__(self) -> str:
        return f"uniform between -{self.bound:.4g} and {self.bound:.4g}"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        return rng.uniform(-self.bound, self.bound, shape)


@dataclass(frozen=True)
class Values(Initializer):
    """The numbers given, in the order of the array."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        return ", ".join(f"{value:g}" for value in self.values)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        return np.array(self.values, np.float64).reshape(shape)


@dataclass(frozen=True)
class Directions(Initializer):
    """Along the last axis, vectors of length 1 in all directions alike."""

    def __str__(self) -> str:
        return "length 1, any direction"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw an array of this shape."""
        values = rng.standard_normal(shape)
        lengths: NDArray[np.float64] = np.linalg.norm(values, axis=-1, keepdims=True)
        return values / lengths


def variance_scaling(fan_in: int) -> TruncatedNormal:
    """Return what `tf.contrib.layers.variance_scaling_initializer()` of TensorFlow 1 draws by default.

    A truncated normal with std sqrt(1.3 * 2 / fan_in). It is neither Keras' `VarianceScaling` (which corrects
    for the cut by dividing by 0.8796) nor PyTorch's `kaiming_normal_` (which does not cut).
    """
    return TruncatedNormal(math.sqrt(1.3 * 2.0 / fan_in))


@dataclass(frozen=True)
class Start:
    """How a layer starts: the laws of its weight and of its bias, each of (fan_in, fan_out)."""

    name: str
    weight: Callable[[int, int], Initializer]
    bias: Callable[[int, int], Initializer]

    def __repr__(self) -> str:
        return self.name


def _zero(fan_in: int, fan_out: int) -> Constant:
    return Constant(0.0)


def _torch(fan_in: int, fan_out: int) -> Uniform:
    return Uniform(1 / math.sqrt(fan_in))


TENSORFLOW = Start("TENSORFLOW", lambda fan_in, fan_out: variance_scaling(fan_in), _zero)
"""TensorFlow 1's `se_block` and whoever else passes `variance_scaling_initializer()`; biases are 0."""

TORCH = Start("TORCH", _torch, _torch)
"""What PyTorch's `Linear` and `Conv` draw where a program says nothing: `kaiming_uniform_` with a = sqrt(5)."""

FAN_IN = Start("FAN_IN", lambda fan_in, fan_out: Normal(math.sqrt(2 / fan_in)), _torch)
"""A normal of std sqrt(2 / fan_in), PyTorch's `kaiming_normal_` as it comes; biases as PyTorch made them."""

FAN_OUT = Start("FAN_OUT", lambda fan_in, fan_out: Normal(math.sqrt(2 / fan_out)), _torch)
"""A normal of std sqrt(2 / fan_out), as PyTorch's ResNets have it for convolutions (He et al., arXiv:1502.01852).

Such programs leave biases as PyTorch made them.
"""
