"""What a layer may be instead of the block: other settings, an array laid out otherwise, or something left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attn_core.parity.foreign.altering import altered
from attn_core.spec import Block
from attn_core.weights import Weights

Numbers = NDArray[Any]
Turning = Callable[[Numbers], Numbers]


@dataclass(frozen=True)
class Variant:
    """A block and weights that a layer may match, said in words that follow "it matches".

    `name` is the array that is turned or without effect, `turn` what is done to it, twice of which is nothing; `field`
    the setting that is another one.
    """

    text: str
    block: Block
    weights: Weights
    name: str = ""
    turn: Turning | None = None
    field: str = ""


class Turned(NamedTuple):
    """A way in which an array may be laid out otherwise."""

    text: str
    turn: Turning


def variants(block: Block, weights: Weights) -> Iterator[Variant]:
    """Yield what has the same arrays, the likeliest first."""
    for name, array in weights.items():
        for text, turn in _turns(name, array):
            turned = weights | {name: turn(array)}
            yield Variant(f"with {text}", block, turned, name, turn)
    for text, field, other in altered(block):
        if _shapes(other.arrays()) == _shapes(weights):
            yield Variant(f"with {text}", other, weights, field=field)
    for name, array in weights.items():
        if name.endswith("bias"):
            without = weights | {name: 0 * array}
            yield Variant(f"without {name}: it has no effect there", block, without, name)


def _shapes(arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def _turns(name: str, array: Numbers) -> Iterator[Turned]:
    """Yield the mistakes that leave the shape as it is: arrays are (outputs, inputs, *kernel)."""
    part = name.rpartition(".")[0]
    matrix, kernel = array.shape[:2], array.shape[2:]
    if array.ndim > 1 and matrix[0] == matrix[1] > 1:
        yield Turned(f"{name} transposed", partial(np.swapaxes, axis1=0, axis2=1))
    # Two inputs of a kernel are mean and maximum of the channels, and people differ in which comes first.
    if kernel and matrix[1] == 2:
        yield Turned(f"the two planes of {part} swapped", partial(np.flip, axis=1))
    if max(kernel, default=1) > 1:
        space = tuple(range(2, array.ndim))
        yield Turned(f"the kernel of {part} flipped", partial(np.flip, axis=space))
    if len(kernel) == 2 and kernel[0] == kernel[1] > 1:
        exchange = partial(np.swapaxes, axis1=2, axis2=3)
        yield Turned(f"rows and columns of the kernel of {part} exchanged", exchange)
