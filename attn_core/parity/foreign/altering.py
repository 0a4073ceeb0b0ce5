"""Blocks that are as another one but for one setting, or for one primitive in place of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import fields, replace
from functools import partial
from typing import Any, NamedTuple

from attn_core.blocks import (
    bottleneck_attention,
    channel_attention,
    concurrent_squeeze_excitation,
    coordinate_attention,
    efficient_channel_attention,
    global_context,
    grid_sampler,
    non_local,
    pointwise_spatial_attention,
)
from attn_core.models.hybrid_sn import ORDERS
from attn_core.parity.foreign.instead import insteads
from attn_core.spec import Block, Part, SpecError
from attn_core.spec.parts import BatchNorm, GroupNorm, LayerNorm, Running
from attn_core.spec.primitives import ACTIVATIONS, GATES, PADDINGS

# What a field can hold beside its value; a block refuses what it has not.
WORDS = dict.fromkeys(
    [
        *(*ACTIVATIONS, *GATES, *PADDINGS, *channel_attention.POOLS, *global_context.POOLS, *global_context.FUSIONS),
        *(*non_local.MODES, *non_local.SCALES, *pointwise_spatial_attention.MODES, *ORDERS),
        *(*bottleneck_attention.JOINED, *concurrent_squeeze_excitation.JOINED, *coordinate_attention.JOINED),
        *(*efficient_channel_attention.BORDERS, *grid_sampler.ORDERS),
    ]
)
EPS = (1e-3, 1e-5, 1e-6, 1e-12, 1e-8, 1e-4)  # 1e-3 is Keras', 1e-5 PyTorch's, 1e-6 that of timm's layer norms
# In PyTorch's sense: 0.01 and 0.001 are 0.99 and 0.999 of Keras, which people also take over as they are.
MOMENTA = (0.1, 0.01, 0.001, 0.9, 0.99, 0.999, 0.003, 3e-4)
COUNTS = ("steps", "groups")
SWAPS = (
    *(("global_mean", "global_max"), ("channel_mean", "channel_max"), ("add", "multiply")),
    *(("sigmoid", "hard_sigmoid"), ("relu", "silu"), ("relu", "gelu"), ("silu", "gelu")),
    *(("hard_swish", "silu"), ("maximum", "add"), ("leaky_relu", "relu")),
)
Making = Callable[[Any], Any]  # of a function, from the primitives of an interpreter
NORMS = (BatchNorm, GroupNorm, LayerNorm, Running)


class Altered(NamedTuple):
    """A block, or a part of one, that is another in one place: what is said of it, and the field it is in."""

    text: str
    field: str
    block: Any


def altered(block: Block) -> Iterator[Altered]:
    """Yield the blocks that differ in one setting, then those that differ in a primitive."""
    yield from _settings(block)
    yield from _part_settings(block)
    yield from _swaps(block)


# ---- settings --------------------------------------------------------------------------------------------------------


def _settings(block: Block) -> Iterator[Altered]:
    overruled = block.overruled()
    for field in fields(block):
        if field.init and field.name not in overruled:
            yield from _others(block, field.name)


def _others(thing: Any, field: str) -> Iterator[Altered]:
    """Yield a block or a part with each other value that a field may have."""
    for value in _values(field, getattr(thing, field)):
        try:
            other = replace(thing, **{field: value})
        except (SpecError, TypeError):
            continue
        yield Altered(f"{field}={value!r}", field, other)


def _values(field: str, own: Any) -> list[Any]:
    others: list[Any] = []
    if isinstance(own, bool):
        others = [not own]
    elif isinstance(own, str):
        others = list(WORDS)
    elif field.endswith("eps"):
        others = list(EPS)
    elif field.endswith("momentum"):
        others = [*MOMENTA, 1 - own]
    elif field in COUNTS and isinstance(own, int):
        others = [*range(1, 9), own // 2, 2 * own]
    return [other for other in others if other != own]


def _part_settings(block: Block) -> Iterator[Altered]:
    """Yield the block with one other setting of a normalisation inside of it."""
    for name, part in block.parts().items():
        inner = _part_settings(part) if isinstance(part, Block) else _of_part(part)
        for text, field, other in inner:
            yield Altered(f"{name}.{text}", f"{name}.{field}", _with(block, name, other))


def _of_part(part: Part) -> Iterator[Altered]:
    if not isinstance(part, NORMS):
        return
    for field in fields(part):
        if field.name in ("eps", "momentum"):
            yield from _others(part, field.name)


def _with(block: Block, name: str, part: Any) -> Block:
    """Return the block with another part."""
    found = copy(block)
    parts = {**block.parts(), name: part}
    object.__setattr__(found, "parts", lambda: parts)  # blocks are frozen
    return found


# ---- primitives ------------------------------------------------------------------------------------------------------


def _swaps(block: Block, name: str = "") -> Iterator[Altered]:
    """Yield the block with another primitive, or with something else, in place of one."""
    for pair in SWAPS:
        for one, other in (pair, pair[::-1]):
            yield _swapped(block, f"{other} in place of {name}{one}", one, partial(_named, other))
    for each in insteads():
        yield _swapped(block, each.text.format(f"{name}{each.primitive}"), each.primitive, each.make)
    for child, part in block.parts().items():
        if isinstance(part, Block):
            for text, field, own in _swaps(part, f"{name}{child}."):
                yield Altered(text, field, _with(block, child, own))


def _swapped(block: Block, text: str, primitive: str, make: Making) -> Altered:
    found = copy(block)
    for method in ("forward", "gates"):
        own = getattr(block, method)
        object.__setattr__(found, method, partial(_run, own, primitive, make))
    return Altered(text, "primitive", found)


def _named(name: str, f: Any) -> Any:
    return getattr(f, name)


def _run(method: Any, primitive: str, make: Making, f: Any, *given: Any) -> Any:
    return method(_Swapped(f, primitive, make(f)), *given)


class _Swapped:
    """The primitives of an interpreter, one of them another function."""

    def __init__(self, f: Any, primitive: str, other: Any) -> None:
        self._f = f
        self._own = {primitive: other}

    def __getattr__(self, name: str) -> Any:
        return self._own[name] if name in self._own else getattr(self._f, name)
