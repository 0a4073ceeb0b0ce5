"""What the parts of a block are in PyTorch, for type checkers.

A part may be there in some configurations only, and be of another class in others: an example is looked at with every
number of spatial axes, and with one more field that is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import get_args, get_type_hints

from attn_core.models.attention import Attention
from attn_core.models.registry import FITTING, KNOWN
from attn_core.spec import Block, Part, SpecError, parts
from scaffold.described import Described
from scaffold.texts import merged

KINDS: dict[type[Part], str] = {
    parts.Dense: "nn.Linear",
    parts.GroupNorm: "nn.GroupNorm",
    parts.LayerNorm: "nn.LayerNorm",
    parts.Dropout: "nn.Dropout",
    parts.Affine: "Affine",
    parts.Running: "Running",
}
HOMES = {
    "Affine": "attn_torch.parts",
    "BatchNorm": "attn_torch.parts",
    "Convolution": "attn_torch.parts",
    "Generic": "attn_torch.layer",
    "Running": "attn_torch.running",
}
FREE = ("attention",)  # parts that may be any block
# Of the default size in three axes, there would be gigabytes.
SMALL: dict[str, dict[str, object]] = {"PointwiseSpatialAttention": {"size": 3}}


def kinds(block: Described) -> dict[str, str]:
    """Return the types of the parts, by name."""
    found: dict[str, set[str]] = {}
    for one in _configurations(_example(block)):
        for name, part in one.parts().items():
            found.setdefault(name, set()).add("Layer" if name in FREE else _kind(part))
    return {name: _either(seen) for name, seen in found.items()}


def _either(seen: set[str]) -> str:
    """Return the name of what is one of several classes."""
    if len(seen) == 1:
        return next(iter(seen))
    return "Convolution" if all("Conv" in name for name in seen) else "BatchNorm"


def imports(kinds: Mapping[str, str]) -> list[str]:
    """Return the lines that import these types, but for those of PyTorch."""
    names = {name for name in kinds.values() if not name.startswith("nn.")} - {"Layer"}
    return merged(f"from {HOMES.get(name) or _home(name)} import {name}" for name in names)


def _home(name: str) -> str:
    return KNOWN[name].__module__.replace("attn_core", "attn_torch")


def _example(block: Described) -> Block:
    """Return what `attn_core.models.registry.example` does, also of a block that is in no list yet."""
    needed = {field.name: 64 for field in block.fields if not field.default}
    return block.block(**(needed | FITTING.get(block.name, {})))


def _configurations(first: Block) -> Iterator[Block]:
    ranks = {"rank": (1, 2, 3)} if hasattr(first, "rank") else {"": (0,)}
    ((name, numbers),) = ranks.items()
    for number in numbers:
        yield from _with(SMALL.get(type(first).__name__, {}) | ({name: number} if name else {}), first)


def _with(given: dict[str, object], first: Block) -> Iterator[Block]:
    """Return the blocks with what is given, and at most one other field."""
    hints = get_type_hints(type(first))
    others = [(f.name, value) for f in fields(first) for value in _others(getattr(first, f.name), hints[f.name])]
    for changed in ({}, *({name: value} for name, value in others)):
        with suppress(SpecError):
            yield replace(first, **given, **changed)


def _others(value: object, hint: object) -> Iterable[object]:
    """Return other values that a field may have."""
    if isinstance(value, bool):
        return [not value]
    if hint == Attention:
        return ["se"]
    return get_args(hint) if isinstance(value, str) else [True] if value is None else []


def _kind(part: Part | Block) -> str:
    if isinstance(part, Block):
        return type(part).__name__ if type(part).__name__ in KNOWN else "Generic"
    if isinstance(part, parts.Conv):
        return f"nn.Conv{part.rank}d"
    if isinstance(part, parts.BatchNorm):
        return f"nn.BatchNorm{max(part.rank, 1)}d"
    return KINDS[type(part)]
