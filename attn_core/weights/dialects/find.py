"""Where in a whole network's arrays the blocks of a dialect are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attn_core.spec import Block
from attn_core.weights import Weights
from attn_core.weights.dialects.dialect import COUNTER, Dialect
from attn_core.weights.dialects.held import Held, NamedArrays
from attn_core.weights.dialects.sizes import MisfitError
from attn_core.weights.files.arrays import plain
from attn_core.weights.files.errors import DialectError

Found = tuple[Block, Weights]

MOST = 8  # names that a message lists


@dataclass
class Tried:
    """What stands behind each prefix: a block, or the reason why it cannot be read as one."""

    blocks: dict[str, Found] = field(default_factory=dict)
    doubtful: dict[str, DialectError] = field(default_factory=dict)


def read_one(dialect: Dialect, held: Held, options: Mapping[str, Any], hiders: Iterable[Dialect] = ()) -> Found:
    """Read the one block that is there; see `read_every`."""
    found = read_every(dialect, held, options, hiders)
    if len(found) == 1:
        return next(iter(found.values()))
    listed = _listed([repr(prefix) for prefix in found])
    raise DialectError(f"{dialect.name}: {len(found)} blocks are there, {listed}: give a prefix, or use read_all.")


def read_every(
    dialect: Dialect, held: Held, options: Mapping[str, Any], hiders: Iterable[Dialect] = ()
) -> dict[str, Found]:
    """Read all blocks, by their prefixes.

    What has a block's first array in another shape, or half of its names at most, is no block, unless nothing else is;
    what has more of them, and not all or not their shapes, is an error. Parts of the blocks of `hiders` are none.
    """
    named = held.named(dialect.numbered)
    tried = _tried(dialect, named, options)
    for prefix, reason in tried.doubtful.items():
        if not tried.blocks or _is_damaged(dialect, named, prefix, tried):
            raise reason
    if not tried.blocks:
        raise DialectError(_none(dialect, held))
    return _without_parts(dialect, tried.blocks, {hider: whole(hider, held) for hider in hiders})


def whole(dialect: Dialect, held: Held) -> dict[str, Found]:
    """Return the blocks that can be read, and nothing of others."""
    return _tried(dialect, held.named(dialect.numbered), {}).blocks


def is_part(prefix: str, blocks: Iterable[str]) -> bool:
    """Say whether what has this prefix is inside of a block that has one of others."""
    return any(prefix != outer and prefix.startswith(outer) for outer in blocks)


def _tried(dialect: Dialect, named: NamedArrays, options: Mapping[str, Any]) -> Tried:
    tried = Tried()
    for prefix in _prefixes(dialect, named):
        try:
            tried.blocks[prefix] = dialect.read(named, prefix, **options)
        except DialectError as error:
            tried.doubtful[prefix] = error
    return tried


def _prefixes(dialect: Dialect, named: NamedArrays) -> list[str]:
    """Return what stands before the names of each block that may be there, in the order of the arrays."""
    found: dict[str, None] = {}
    for key, shape in named.shapes.items():
        for anchor, ranks in dialect.anchors.items():
            prefix = key.removesuffix(anchor)
            ends = not prefix or prefix[-1] in dialect.boundary
            if key.endswith(anchor) and ends and len(shape) in ranks and _is_called(dialect, prefix):
                found[prefix] = None
    return list(found)


def _is_called(dialect: Dialect, prefix: str) -> bool:
    """Say whether a prefix ends with the layer's name, if it must have one; of a layer alone, there is no prefix."""
    name = f".{dialect.called}." if dialect.called else ""
    return not prefix or f".{prefix}".endswith(name)


def _is_damaged(dialect: Dialect, named: NamedArrays, prefix: str, tried: Tried) -> bool:
    """Say whether most of the names of a block that was read are behind this prefix, too."""
    reason = tried.doubtful[prefix]
    # Another layer may have an array of this name, as many have an `fc1.weight`.
    if isinstance(reason, MisfitError) and reason.key in dialect.anchors:
        return False
    block, _ = next(iter(tried.blocks.values()))
    there = [prefix + entry.key in named.arrays for entry in dialect.entries(block)]
    return 2 * sum(there) > len(there)


def _without_parts(
    dialect: Dialect, found: Mapping[str, Found], others: Mapping[Dialect, Mapping[str, Found]]
) -> dict[str, Found]:
    """Return the blocks that are no parts of others'."""
    around = [prefix for blocks in others.values() for prefix in blocks]
    visible = {prefix: each for prefix, each in found.items() if not is_part(prefix, around)}
    if not visible:
        names = ", ".join(other.name for other, blocks in others.items() if blocks)
        raise DialectError(f"{dialect.name}: what looks like it is a part of {names}; given a prefix, it is read.")
    return visible


def _none(dialect: Dialect, held: Held) -> str:
    called = f"{dialect.called}." if dialect.called else ""
    anchors = [f"{called}{anchor} of {' or '.join(map(str, ranks))} axes" for anchor, ranks in dialect.anchors.items()]
    names = [plain(key) for key in held.state if not key.endswith(COUNTER)]
    listed = _listed(names) or "none"
    return f"{dialect.name}: no {' or '.join(anchors)} is among the {len(names)} arrays given ({listed})."


def _listed(names: list[str]) -> str:
    more = ", ..." if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
