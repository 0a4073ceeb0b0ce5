"""The parts in NumPy: functions over their arrays. Running statistics that a call moves are noted in `State`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.reference import ops
from attn_core.spec import Block, Bound, Part, parts

Numbers = NDArray[Any]


@dataclass
class State:
    """Whether a run is one of training, which variance its running variances move to, and where they moved."""

    train: bool = False
    unbiased: bool = True
    moved: dict[str, Numbers] = field(default_factory=dict)


class Arrays:
    """The arrays below one name, the state of the run, and the primitives."""

    def __init__(self, arrays: Mapping[str, Numbers], state: State, name: str = "", f: Any = ops) -> None:
        self.arrays, self.state, self.name, self.f = arrays, state, name, f

    def below(self, name: str) -> Arrays:
        """Return those of a part."""
        return Arrays(self.arrays, self.state, f"{self.name}{name}.", self.f)

    def __getitem__(self, leaf: str) -> Numbers:
        return self.arrays[self.name + leaf]

    def move(self, leaf: str, target: Numbers, momentum: float) -> None:
        """Note that a running array moves towards a target."""
        self.state.moved[self.name + leaf] = (1 - momentum) * self[leaf].real + momentum * target.real


@singledispatch
def bind(part: Part | Block, arrays: Arrays) -> Any:
    """Turn a part and its arrays into a function."""
    raise NotImplementedError(f"the reference has no {type(part).__name__}")


@bind.register
def _block(part: Block, arrays: Arrays) -> Bound:
    return Bound(part, arrays.f, {name: bind(child, arrays.below(name)) for name, child in part.parts().items()})


@bind.register
def _dense(part: parts.Dense, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    return lambda x: cast(Numbers, x @ arrays["weight"].T + (arrays["bias"] if part.bias else 0.0))


@bind.register
def _conv(part: parts.Conv, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        windows = ops.windows(x, part.reach, part.stride, part.padding)
        apart: Any = (..., *[slice(None, None, part.dilation)] * part.rank)
        windows = windows[apart]
        outputs = [
            np.tensordot(own, weight, ([1, *range(-part.rank, 0)], range(1, 2 + part.rank)))
            for own, weight in zip(
                np.split(windows, part.groups, 1), np.split(arrays["weight"], part.groups), strict=True
            )
        ]
        y = np.moveaxis(np.concatenate(outputs, -1), -1, 1)
        return ops.shift(y, arrays["bias"][None]) if part.bias else y

    return run


@bind.register
def _batch_norm(part: parts.BatchNorm, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        mean, variance = arrays["running_mean"], arrays["running_var"]
        if arrays.state.train and len(x):  # no samples have no moments
            axes, numbers = (0, *range(2, x.ndim)), x.size // x.shape[1]
            mean, variance = _moments(x, axes)
            arrays.move("running_mean", mean, part.momentum)
            correction = numbers / max(numbers - 1, 1) if arrays.state.unbiased else 1.0
            arrays.move("running_var", variance * correction, part.momentum)
        return _affine_norm(x, mean.reshape(1, -1), variance.reshape(1, -1), part.eps, arrays)

    return run


@bind.register
def _group_norm(part: parts.GroupNorm, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        groups = x.reshape(len(x), part.groups, -1)
        mean, variance = (np.repeat(m, part.channels // part.groups, 1) for m in _moments(groups, (2,)))
        return _affine_norm(x, mean, variance, part.eps, arrays)

    return run


@bind.register
def _layer_norm(part: parts.LayerNorm, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        mean, variance = (m[:, None] for m in _moments(x, (1,)))
        return _affine_norm(x, mean, variance, part.eps, arrays)

    return run


@bind.register
def _affine(part: parts.Affine, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        scaled = ops.scale(x, arrays["weight"][None])
        return ops.shift(scaled, arrays["bias"][None]) if part.bias else scaled

    return run


@bind.register
def _dropout(part: parts.Dropout, arrays: Arrays) -> Callable[[Numbers], Numbers]:
    def run(x: Numbers) -> Numbers:
        if arrays.state.train and part.rate:
            name = arrays.name.rstrip(".")
            raise ValueError(f"{name}: dropout of {part.rate} is random in training; configure the block without it.")
        return x

    return run


class RunningArray:
    """A `Running` part: a call returns the array."""

    def __init__(self, part: parts.Running, arrays: Arrays) -> None:
        self.part, self.arrays = part, arrays

    def __call__(self) -> Numbers:
        """Return the array."""
        return self.arrays["value"]

    def update(self, new: Numbers) -> None:
        """Move the array in training, unless the new value holds a NaN, as the mean of no samples does."""
        if self.arrays.state.train and not self._is_none(new):
            self.arrays.move("value", new, self.part.momentum)

    @staticmethod
    def _is_none(new: Numbers) -> bool:
        numbers = getattr(new, "value", new)  # of one that carries its rounding errors
        return bool(np.isnan(numbers).any())


@bind.register
def _running(part: parts.Running, arrays: Arrays) -> RunningArray:
    return RunningArray(part, arrays)


def _moments(x: Numbers, axes: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    mean = x.mean(axes, keepdims=True)
    # The square, not the absolute one: derivatives pass. That by the mean is 0, and kernels leave it out.
    return mean.squeeze(axes), ((x - mean.real) ** 2).mean(axes)


def _affine_norm(x: Numbers, mean: Numbers, variance: Numbers, eps: float, arrays: Arrays) -> Numbers:
    """Normalise with moments (1 or batch, channels), then scale and shift each channel."""
    factor = arrays["weight"] / np.sqrt(variance + eps)
    return cast(Numbers, arrays.f.centred_affine(x, mean, factor, arrays["bias"][None]))
