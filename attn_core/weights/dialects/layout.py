"""How arrays of other people are laid out and called: both ways of each change in one object, so that they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """The layout of an array of theirs, made from ours without computing anything: exact in both directions.

    Ours is transposed to `order`, read backwards along the axes `flipped`, and gets axes of length 1 `before` and
    `after` the others; fewer than none are those that ours has at its end and theirs has not.
    """

    order: tuple[int, ...] | None = None
    flipped: tuple[int, ...] = ()
    before: int = 0
    after: int = 0

    def theirs(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of ours out as theirs."""
        turned = np.flip(array.transpose(self.order or range(array.ndim)), self.flipped)
        kept = turned.shape[: turned.ndim - self.lacking]
        return turned.reshape((1,) * self.before + kept + (1,) * self.after)

    def ours(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of theirs out as ours."""
        inner = array.reshape(array.shape[self.before : array.ndim - max(self.after, 0)] + (1,) * self.lacking)
        order = self.order or tuple(range(inner.ndim))
        return np.flip(inner, self.flipped).transpose([order.index(axis) for axis in range(inner.ndim)])

    def axes(self, ours: Sequence[str | int]) -> tuple[str | int, ...]:
        """Name the axes of theirs, given names or lengths of ours."""
        order = self.order or range(len(ours))
        own = tuple(ours[axis] for axis in order)
        return (1,) * self.before + own[: len(own) - self.lacking] + (1,) * self.after

    @property
    def lacking(self) -> int:
        """How many axes of length 1 at the end of ours are not in theirs."""
        return max(-self.after, 0)

    def __str__(self) -> str:
        turned = ["transposed"] * bool(self.order) + [f"backwards along axis {axis}" for axis in self.flipped]
        return ", ".join(turned)


SAME = Turn()


@dataclass(frozen=True)
class Layer:
    """A part of ours in their names: the arrays are called `name`, `glue` and the leaf.

    `turns` are the layouts of its leaves, where not ours; `leaves` their names there. Where two parts have the same
    layer, theirs is both of ours side by side along the second axis.
    """

    name: str
    turns: Mapping[str, Turn] = field(default_factory=dict)
    leaves: Mapping[str, str] = field(default_factory=dict)
    glue: str = "."

    def key(self, leaf: str) -> str:
        """Return their name of an array of the part."""
        return f"{self.name}{self.glue}{self.leaves.get(leaf, leaf)}"

    def turn(self, leaf: str) -> Turn:
        """Return the layout of an array of the part."""
        return self.turns.get(leaf, SAME)


@dataclass(frozen=True)
class Absent:
    """Arrays of ours that they do not have, and the value that means the same as not having them."""

    value: float = 0.0


# Parts of ours, or single arrays of them, by name; a text is a layer with our leaves and layouts, which are PyTorch's.
Table: TypeAlias = Mapping[str, str | Layer | Absent]

JOINED = 1  # the axis along which arrays of ours stand side by side in one of theirs


@dataclass(frozen=True)
class Entry:
    """An array of theirs, and the one of ours that it is, or those that stand in it side by side."""

    key: str
    ours: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    turn: Turn

    @property
    def shape(self) -> tuple[int, ...]:
        """Their shape."""
        empty = {name: np.broadcast_to(np.int8(0), shape) for name, shape in zip(self.ours, self.shapes, strict=True)}
        return self.give(empty).shape

    def give(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Make their array of ours."""
        own = [arrays[name] for name in self.ours]
        return self.turn.theirs(own[0] if len(own) == 1 else np.concatenate(own, JOINED))

    def take(self, array: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Make ours of their array: weights, gradients or statistics."""
        inner = self.turn.ours(array)
        if len(self.ours) == 1:
            return {self.ours[0]: inner}
        ends = list(accumulate(shape[JOINED] for shape in self.shapes))[:-1]
        return dict(zip(self.ours, np.split(inner, ends, JOINED), strict=True))


def torch_point(name: str, rank: int = 2) -> Layer:
    """Return a dense layer of ours that is a convolution of one pixel in PyTorch."""
    return Layer(name, {"weight": Turn(after=rank)})


def torch_dense(name: str, rank: int = 2) -> Layer:
    """Return a convolution of one pixel of ours that is a dense layer in PyTorch."""
    return Layer(name, {"weight": Turn(after=-rank)})


def tf_dense(name: str) -> Layer:
    """Return a dense layer of TensorFlow and Keras: `kernel` (inputs, outputs), `bias`."""
    return Layer(name, {"weight": Turn((1, 0))}, {"weight": "kernel"}, "/")


def tf_point(name: str) -> Layer:
    """Return a dense layer of ours that is a convolution of one pixel in TensorFlow and Keras."""
    return Layer(name, {"weight": Turn((1, 0), before=2)}, {"weight": "kernel"}, "/")


def slim_point(name: str) -> Layer:
    """Return a dense layer of ours that is a convolution of one pixel of TensorFlow 1's slim: `weights`, `biases`."""
    return Layer(name, {"weight": Turn((1, 0), before=2)}, {"weight": "weights", "bias": "biases"}, "/")


def tf_conv(name: str) -> Layer:
    """Return a convolution of images in TensorFlow and Keras: `kernel` (height, width, inputs, outputs), `bias`."""
    return Layer(name, {"weight": Turn((2, 3, 1, 0))}, {"weight": "kernel"}, "/")
