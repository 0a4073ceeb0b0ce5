"""Which dialect some arrays may be in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from attn_core.dialects.dialect import COUNTER, Dialect
from attn_core.dialects.find import Found, read_every
from attn_core.dialects.meaning import differences
from attn_core.dialects.refused import Refused
from attn_core.dialects.sizes import DialectError


@dataclass(frozen=True)
class Guess:
    """A dialect that the arrays may be in, the prefixes of its blocks, and what speaks for and against it.

    `score` is the share of all arrays that it explains.
    """

    dialect: str
    prefixes: tuple[str, ...]
    score: float
    reasons: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    def __str__(self) -> str:
        against = f" But: {'; '.join(self.doubts)}." if self.doubts else ""
        return f"{self.dialect}: {'; '.join(self.reasons)}.{against}"


def guesses(state: Mapping[str, Any], dialects: Iterable[Dialect], refused: Iterable[Refused]) -> list[Guess]:
    """Return the dialects in which the arrays hold a block, best first."""
    names = [name for name in state if not name.endswith(COUNTER)]
    found = {dialect: blocks for dialect in dialects if (blocks := _blocks(dialect, state))}
    given = [_guess(dialect, found, len(names)) for dialect in found]
    for each in refused:
        if prefixes := each.prefixes(names):
            share = len(prefixes) * len(each.keys) / len(names)
            reason = f"it has {', '.join(prefixes[0] + key for key in each.keys)}"
            given.append(Guess(each.name, tuple(prefixes), share, (reason,), (each.because.removesuffix("."),)))
    return sorted(given, key=lambda guess: (-guess.score, len(guess.doubts) - len(guess.reasons)))


def _blocks(dialect: Dialect, state: Mapping[str, Any]) -> dict[str, Found]:
    try:
        return read_every(dialect, state, {})
    except DialectError:
        return {}


def _guess(dialect: Dialect, found: Mapping[Dialect, dict[str, Found]], total: int) -> Guess:
    own = found[dialect]
    count = sum(len(dialect.entries(block)) for block, _ in own.values())
    block, _ = next(iter(own.values()))
    reasons = [f"{count} of {total} arrays have its names and shapes", *dialect.speaks(block)]
    doubts = [*dialect.doubts(block)]
    for other, theirs in found.items():
        if other is not dialect and theirs.keys() == own.keys():
            doubts += _told_apart(other, own, theirs)
    return Guess(dialect.name, tuple(own), count / total, tuple(reasons), tuple(doubts))


def _told_apart(other: Dialect, own: Mapping[str, Found], theirs: Mapping[str, Found]) -> list[str]:
    """Say how another dialect reads the same arrays."""
    (first, weights), (second, others) = next(iter(own.values())), next(iter(theirs.values()))
    if type(first) is not type(second):
        return [f"{other.name} reads the same arrays as {second!r}"]
    fields = [f"{field}={there!r}" for field, there, _ in differences(second, first)]
    arrays = [name for name in weights if name in others and not np.array_equal(weights[name], others[name])]
    if fields or arrays:
        turned = [f"other {name}" for name in arrays]
        return [f"{other.name} reads them with {', '.join(fields + turned)}: nothing in them tells which is right"]
    return []
