"""Where in a whole network's arrays the blocks of a dialect are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from attn_core.spec import Block
from attn_core.weights import Weights
from attn_core.weights.dialects.dialect import COUNTER, Dialect
from attn_core.weights.dialects.numbered import counted
from attn_core.weights.dialects.sizes import MisfitError
from attn_core.weights.files.arrays import plain, shape_of
from attn_core.weights.files.errors import DialectError

Found = tuple[Block, Weights]


def prefixes(dialect: Dialect, state: Mapping[str, Any]) -> list[str]:
    """Return what stands before the names of each block that may be there, in the order of the arrays."""
    found: dict[str, None] = {}
    for key, value in (counted(state, dialect.numbered) if dialect.numbered else state).items():
        for anchor, ranks in dialect.anchors.items():
            prefix = key.removesuffix(anchor)
            ends = not prefix or prefix[-1] in dialect.boundary
            if key.endswith(anchor) and ends and len(shape_of(value)) in ranks:
                found[prefix] = None
    return list(found)


def read_one(
    dialect: Dialect, state: Mapping[str, Any], options: Mapping[str, Any], hiders: Iterable[Dialect] = ()
) -> Found:
    """Read the one block that is there; see `read_every`."""
    places = prefixes(dialect, state)
    if not places:
        raise DialectError(_none(dialect, state))
    found = read_every(dialect, state, options, hiders)
    if len(found) == 1:
        return next(iter(found.values()))
    listed = ", ".join(repr(prefix) for prefix in list(found)[:8]) + ", ..." * (len(found) > 8)
    raise DialectError(f"{dialect.name}: {len(found)} blocks are there, {listed}: give a prefix, or use read_all.")


def read_every(
    dialect: Dialect, state: Mapping[str, Any], options: Mapping[str, Any], hiders: Iterable[Dialect] = ()
) -> dict[str, Found]:
    """Read all blocks, by their prefixes.

    What has a block's first array in another shape, or half of its names at most, is no block, unless nothing else is;
    what has more of them, and not all or not their shapes, is an error. Parts of the blocks of `hiders` are none.
    """
    found: dict[str, Found] = {}
    doubtful: dict[str, DialectError] = {}
    for prefix in prefixes(dialect, state):
        try:
            found[prefix] = dialect.read(state, prefix, **options)
        except DialectError as error:
            doubtful[prefix] = error
    for prefix, reason in doubtful.items():
        other = isinstance(reason, MisfitError) and reason.key in dialect.anchors
        if not found or (not other and _similar(dialect, state, prefix, found)):
            raise reason
    if not found:
        raise DialectError(_none(dialect, state))
    return _without_parts(dialect, found, {hider: whole(hider, state) for hider in hiders})


def whole(dialect: Dialect, state: Mapping[str, Any]) -> dict[str, Found]:
    """Return the blocks that can be read, and nothing of others."""
    found: dict[str, Found] = {}
    for prefix in prefixes(dialect, state):
        with suppress(DialectError):
            found[prefix] = dialect.read(state, prefix)
    return found


def _without_parts(
    dialect: Dialect, found: Mapping[str, Found], others: Mapping[Dialect, Mapping[str, Found]]
) -> dict[str, Found]:
    """Return the blocks that are no parts of others'."""
    visible = {prefix: each for prefix, each in found.items() if not any(is_part(prefix, o) for o in others.values())}
    if not visible:
        names = ", ".join(other.name for other, blocks in others.items() if blocks)
        raise DialectError(f"{dialect.name}: what looks like it is a part of {names}; given a prefix, it is read.")
    return visible


def is_part(prefix: str, blocks: Iterable[str]) -> bool:
    """Say whether what has this prefix is inside of a block that has one of others."""
    return any(prefix != outer and prefix.startswith(outer) for outer in blocks)


def _similar(dialect: Dialect, state: Mapping[str, Any], prefix: str, found: Mapping[str, Found]) -> bool:
    """Say whether most of the names of some block that was read are behind this prefix too."""
    named = counted(state, dialect.numbered) if dialect.numbered else state
    blocks = [block for block, _ in found.values()]
    shares = [[prefix + entry.key in named for entry in dialect.entries(block)] for block in blocks[:1]]
    return any(2 * sum(share) > len(share) for share in shares)


def _none(dialect: Dialect, state: Mapping[str, Any]) -> str:
    anchors = " or ".join(f"{anchor} of {' or '.join(map(str, r))} axes" for anchor, r in dialect.anchors.items())
    held = [plain(key) for key in state if not key.endswith(COUNTER)]
    listed = ", ".join(held[:8]) + ", ..." * (len(held) > 8)
    return f"{dialect.name}: no {anchors} is among the {len(held)} arrays given ({listed or 'none'})."
