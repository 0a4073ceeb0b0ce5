"""Which layout makes an array of somebody's one of ours, where names say that it is the same array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from attn_core.weights.dialects.layout import Entry, Turn

Shape = tuple[int, ...]

# What frameworks call the arrays of a layer, and what they are called here.
LEAVES = {
    **dict.fromkeys(("kernel", "gamma", "scale", "weights"), "weight"),
    **dict.fromkeys(("beta", "biases"), "bias"),
    **dict.fromkeys(("moving_mean", "mean"), "running_mean"),
    **dict.fromkeys(("moving_variance", "var"), "running_var"),
}


@dataclass(frozen=True)
class Fitted(Turn):
    """Ours with its axes in another `order`, and axes of length 1 more or less."""

    ours_shape: Shape = ()
    theirs_shape: Shape = ()

    def theirs(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of ours out as theirs."""
        return array.transpose(self.order).reshape(self.theirs_shape)

    def ours(self, array: NDArray[Any]) -> NDArray[Any]:
        """Lay an array of theirs out as ours."""
        order = self.order or tuple(range(len(self.ours_shape)))
        inner = array.reshape([self.ours_shape[axis] for axis in order])
        return inner.transpose([order.index(axis) for axis in range(inner.ndim)])


def fitted(theirs: Shape, ours: Shape, inputs_first: bool, strictly: bool = False) -> Fitted | None:
    """Return the layout in which theirs has the shape of ours: its framework's if it can be, else or never the other.

    Lengths of 1 come and go: a dense layer may be a convolution of one pixel.
    """
    same = tuple(range(len(ours)))
    last = (*same[2:], 1, 0) if len(ours) > 1 else same
    orders = (last, same) if inputs_first else (same, last)
    for order in orders[:1] if strictly else orders:
        if _long(ours[axis] for axis in order) == _long(theirs):
            return Fitted(order, ours_shape=ours, theirs_shape=theirs)
    return None


def entry(key: str, theirs: Shape, name: str, ours: Shape, inputs_first: bool, strictly: bool = False) -> Entry | None:
    """Return what an array of theirs is of ours, or None if no layout fits."""
    kernel = inputs_first and plain(key).rpartition(".")[2] == "weight"
    turn = fitted(theirs, ours, kernel, strictly)
    return None if turn is None else Entry(key, (name,), (ours,), turn)


def plain(key: str) -> str:
    """Return a name of theirs with dots and with our names of arrays."""
    above, _, leaf = key.replace("/", ".").rpartition(".")
    return f"{above}.{LEAVES.get(leaf, leaf)}" if above else LEAVES.get(leaf, leaf)


def spread(mapping: Mapping[str, str], keys: list[str], names: list[str]) -> dict[str, str]:
    """Return a map of arrays, given one of arrays or whole layers: {"fc1": "reduce"} is each array of fc1."""
    found = {theirs: ours for theirs, ours in mapping.items() if theirs in keys and ours in names}
    for key in keys:
        layer = mapping.get(above(key))
        name = f"{layer}.{plain(key).rpartition('.')[2]}"
        if key not in found and layer is not None and name in names:
            found[key] = name
    return found


def above(key: str) -> str:
    """Return the layer of an array of theirs."""
    return key[: max(key.rfind("."), key.rfind("/"), 0)]


def _long(lengths: Any) -> Shape:
    return tuple(length for length in lengths if length != 1)
