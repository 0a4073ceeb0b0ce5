"""Which layout makes an array of somebody's one of ours, where names say that it is the same array."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from attn_core.parity.foreign.leaves import leaf
from attn_core.weights.dialects.layout import Entry, Turn
from attn_core.weights.files.arrays import Shape


class NamedShape(NamedTuple):
    """An array, as far as it is known before a layer is run."""

    name: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.name} {self.shape}"


@dataclass(frozen=True)
class Fitted(Turn):
    """Ours with its axes in another `order`, and axes of length 1 more or less."""

    ours_shape: Shape = ()
    theirs_shape: Shape = ()

    def theirs(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of ours out as theirs."""
        turned = array.transpose(self.order)
        return turned.reshape(self.theirs_shape)

    def ours(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of theirs out as ours."""
        axes = range(len(self.ours_shape))
        order = self.order or tuple(axes)
        inner = array.reshape([self.ours_shape[axis] for axis in order])
        back = [order.index(axis) for axis in axes]
        return inner.transpose(back)


def fitted(theirs: Shape, ours: Shape, inputs_first: bool, strictly: bool = False) -> Fitted | None:
    """Return the layout in which theirs has the shape of ours: its framework's if it can be, else or never the other.

    Lengths of 1 come and go: a dense layer may be a convolution of one pixel.
    """
    same = tuple(range(len(ours)))
    # (outputs, inputs, *kernel) is (*kernel, inputs, outputs) in Keras and Flax.
    kernel_first = (*same[2:], 1, 0) if len(ours) > 1 else same
    orders = (kernel_first, same) if inputs_first else (same, kernel_first)
    # By shapes alone, `reduce` transposed would be an `expand`: there, only the framework's own order tells.
    for order in orders[:1] if strictly else orders:
        turned = [ours[axis] for axis in order]
        if _long(turned) == _long(theirs):
            return Fitted(order, ours_shape=ours, theirs_shape=theirs)
    return None


def entry(theirs: NamedShape, ours: NamedShape, inputs_first: bool, strictly: bool = False) -> Entry | None:
    """Return what an array of theirs is of ours, or None if no layout fits."""
    is_kernel = leaf(theirs.name) == "weight"
    turn = fitted(theirs.shape, ours.shape, inputs_first and is_kernel, strictly)
    return None if turn is None else Entry(theirs.name, (ours.name,), (ours.shape,), turn)


def _long(lengths: Iterable[int]) -> Shape:
    return tuple(length for length in lengths if length != 1)
