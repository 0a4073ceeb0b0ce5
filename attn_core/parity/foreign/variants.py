"""What a layer may be instead of the block: other settings, an array laid out otherwise, or something left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.blocks import channel_attention, global_context, non_local, pointwise_spatial_attention
from attn_core.models.hybrid_sn import ORDERS
from attn_core.spec import Block, Part, SpecError
from attn_core.spec.parts import BatchNorm, GroupNorm, LayerNorm, Running
from attn_core.spec.primitives import ACTIVATIONS, GATES, PADDINGS
from attn_core.weights import Weights

Numbers = NDArray[Any]

# What a field can hold beside its value; a block refuses what it has not.
WORDS = dict.fromkeys(
    [
        *(*ACTIVATIONS, *GATES, *PADDINGS, *channel_attention.POOLS, *global_context.POOLS, *global_context.FUSIONS),
        *(*non_local.MODES, *non_local.SCALES, *pointwise_spatial_attention.MODES, *ORDERS),
    ]
)
EPS = (1e-3, 1e-5, 1e-6, 1e-12, 1e-8, 1e-4)
MOMENTA = (0.1, 0.01, 0.001, 0.9, 0.99, 0.999, 0.003, 3e-4)
COUNTS = ("steps", "groups")
SWAPS = (
    *(("global_mean", "global_max"), ("channel_mean", "channel_max"), ("add", "multiply")),
    *(("sigmoid", "hard_sigmoid"), ("relu", "silu"), ("relu", "gelu"), ("silu", "gelu")),
)
NORMS = (BatchNorm, GroupNorm, LayerNorm, Running)


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
    turn: Callable[[Numbers], Numbers] | None = None
    field: str = ""


def variants(block: Block, weights: Weights) -> Iterator[Variant]:
    """Yield what has the same arrays, the likeliest first."""
    for name, array in weights.items():
        for text, turn in _turns(name, array):
            yield Variant(f"with {text}", block, weights | {name: turn(array)}, name, turn)
    shapes = {name: array.shape for name, array in weights.items()}
    for text, field, other in [*_settings(block), *_part_settings(block), *_swaps(block)]:
        if {name: array.shape for name, array in other.arrays().items()} == shapes:
            yield Variant(f"with {text}", other, weights, field=field)
    for name, array in weights.items():
        if name.endswith("bias"):
            yield Variant(f"without {name}: it has no effect there", block, weights | {name: 0 * array}, name)


def _turns(name: str, array: Numbers) -> Iterator[tuple[str, Callable[[Numbers], Numbers]]]:
    part = name.rpartition(".")[0]
    space = tuple(range(2, array.ndim))
    if array.ndim > 1 and array.shape[0] == array.shape[1] > 1:
        yield f"{name} transposed", partial(np.swapaxes, axis1=0, axis2=1)
    if array.ndim > 2 and array.shape[1] == 2:
        yield f"the two planes of {part} swapped", partial(np.flip, axis=1)
    if max(array.shape[2:], default=1) > 1:
        yield f"the kernel of {part} flipped", partial(np.flip, axis=space)
    if array.ndim == 4 and array.shape[2] == array.shape[3] > 1:
        yield f"rows and columns of the kernel of {part} exchanged", partial(np.swapaxes, axis1=2, axis2=3)


def _settings(block: Block) -> Iterator[tuple[str, str, Block]]:
    for field in fields(block):
        if field.init and field.name not in block.overruled():
            value = getattr(block, field.name)
            for other in _others(field.name, value):
                try:
                    yield f"{field.name}={other!r}", field.name, replace(block, **{field.name: other})
                except (SpecError, TypeError):
                    continue


def _others(name: str, value: Any) -> list[Any]:
    others: list[Any] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, str):
        others = list(WORDS)
    elif name.endswith("eps"):
        others = list(EPS)
    elif name.endswith("momentum"):
        others = [*MOMENTA, 1 - value]
    elif name in COUNTS and isinstance(value, int):
        others = [*range(1, 9), value // 2, 2 * value]
    return [other for other in others if other != value]


def _part_settings(block: Block) -> Iterator[tuple[str, str, Block]]:
    """Yield the block with one other setting of a normalisation inside of it."""
    for name, part in block.parts().items():
        inner = _part_settings(part) if isinstance(part, Block) else _of_part(part)
        for text, field, other in inner:
            yield f"{name}.{text}", f"{name}.{field}", _with(block, name, other)


def _of_part(part: Part) -> Iterator[tuple[str, str, Any]]:
    if isinstance(part, NORMS):
        for field in fields(part):
            if field.name in ("eps", "momentum"):
                for other in _others(field.name, getattr(part, field.name)):
                    yield f"{field.name}={other!r}", field.name, replace(part, **{field.name: other})


def _with(block: Block, name: str, part: Any) -> Block:
    """Return the block with another part."""
    found, parts = copy(block), {**block.parts(), name: part}
    object.__setattr__(found, "parts", lambda: parts)  # blocks are frozen
    return found


def _swaps(block: Block, name: str = "") -> Iterator[tuple[str, str, Block]]:
    """Yield the block with one primitive in place of another."""
    for pair in SWAPS:
        for wrong, other in (pair, pair[::-1]):
            found = copy(block)
            for method in ("forward", "gates"):
                object.__setattr__(found, method, partial(_run, getattr(block, method), wrong, other))
            yield f"{other} in place of {name}{wrong}", "primitive", found
    for child, part in block.parts().items():
        if isinstance(part, Block):
            yield from ((text, field, _with(block, child, own)) for text, field, own in _swaps(part, f"{name}{child}."))


def _run(method: Any, wrong: str, other: str, f: Any, *given: Any) -> Any:
    return method(_Swapped(f, wrong, other), *given)


class _Swapped:
    """The primitives of an interpreter, one of them in place of another."""

    def __init__(self, f: Any, wrong: str, other: str) -> None:
        self._f, self._names = f, {wrong: other}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._f, self._names.get(name, name))
