"""The steps of a network as a programmer would write them: a convolution with its bias, a norm, an attention block.

Images are canonical here, (batch, channels, height, width), whatever the graph's layout was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.reads import Stored
from attn_core.porting.network.steps.axes import Axes

Array = NDArray[Any]
Turn = Callable[[Array], Array]
IMAGE = "x"  # the step that is the network's input


def as_it_is(array: Array) -> Array:
    """Return the array."""
    return array


def flat(array: Array) -> Array:
    """Return a vector, whatever axes of one it was given against an image."""
    return array.reshape(-1)


@dataclass(frozen=True)
class Leaf:
    """One array of a step: the graph's arrays that it is made of, one after the other along its first axis, and how.

    `value` is there instead of them where the graph computes the array from others, in the node `computed`.
    """

    parts: tuple[Stored, ...] = ()
    # Functions and arrays cannot be compared in a way that would mean something.
    turn: Turn = field(default=as_it_is, compare=False)
    value: Array | None = field(default=None, compare=False)
    computed: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables."""
        return tuple(part.name for part in self.parts)

    def array(self, read: Callable[[Stored], Array]) -> Array:
        """Return the canonical array."""
        if self.value is not None:
            return self.value
        arrays = [self.turn(read(part)) for part in self.parts]
        # Of a single part no copy is made, as `concatenate` would: kernels are the largest arrays of a port.
        whole = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return np.ascontiguousarray(whole)


# A step is equal to itself alone: it is a key of tables, and its fields may hold arrays.
@dataclass(frozen=True, eq=False)
class Step:
    """One operation of the network.

    Fields:
        name: the graph's node that holds the result.
        kind: what it computes, a key of the writers' tables.
        inputs: names of other steps, or `IMAGE`.
        fields: its configuration.
        arrays: its weights by canonical names.
        path: the scope of its variables, or its node's name.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Leaf] = field(default_factory=dict)
    path: str = ""

    @property
    def is_layer(self) -> bool:
        """Whether it is a member of a class, and no plain expression."""
        return bool(self.arrays) or self.kind == "attention"


@dataclass(frozen=True)
class Value:
    """What a graph's output is here: a step's result, and the axes that the graph's array has."""

    step: str
    axes: Axes

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)


def canonical(array: Array, axes: tuple[int, ...]) -> Array:
    """Put a graph's array into canonical order."""
    if len(axes) != array.ndim:
        return array
    return np.ascontiguousarray(array.transpose(np.argsort(axes)))
