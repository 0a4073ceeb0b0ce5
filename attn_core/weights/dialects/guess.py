"""Which dialect some arrays may be in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from attn_core.spec import Block
from attn_core.weights.dialects.dialect import COUNTER, Dialect
from attn_core.weights.dialects.find import Found, is_part, whole
from attn_core.weights.dialects.held import Held
from attn_core.weights.dialects.meaning import differences
from attn_core.weights.dialects.perceptron import DOUBT, TWO_LAYERS, is_called_so, is_perceptron
from attn_core.weights.dialects.refused import Refused


@dataclass(frozen=True)
class Guess:
    """A dialect that the arrays may be in, the prefixes of its blocks, and what speaks for and against it.

    `score` is the share of all arrays that it explains; `untold` are the fields that arrays do not tell, for which the
    values of its class were taken. `block` is the one that the arrays are, if they are one and nothing else.
    """

    dialect: str
    prefixes: tuple[str, ...]
    score: float
    reasons: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    block: Block | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        against = f" But: {'; '.join(self.doubts)}." if self.doubts else ""
        untold = f" Not told by arrays: {', '.join(self.untold)}." if self.untold else ""
        return f"{self.dialect}: {'; '.join(self.reasons)}.{against}{untold}"


def guesses(held: Held, dialects: Iterable[Dialect], refused: Iterable[Refused]) -> list[Guess]:
    """Return the dialects in which the arrays hold a block, best first."""
    names = [name for name in held.state if not name.endswith(COUNTER)]
    refused = list(refused)
    taken = {prefix + key for each in refused for prefix in each.prefixes(names) for key in each.keys}
    every = {dialect: blocks for dialect in dialects if (blocks := whole(dialect, held))}
    found: dict[Dialect, dict[str, Found]] = {}
    for dialect, blocks in every.items():
        around = [prefix for other in every if dialect.name in other.hides for prefix in every[other]]
        visible = {prefix: each for prefix, each in blocks.items() if not is_part(prefix, around)}
        # A layer of a class that is refused may look like a block: ultralytics' channel attention is a whole eSE.
        own = {prefix: each for prefix, each in visible.items() if not taken & _keys(dialect, prefix, each)}
        if gates := {prefix: each for prefix, each in own.items() if not is_perceptron(prefix, each[0])}:
            found[dialect] = gates
    given = [_guess(dialect, found, len(names)) for dialect in found]
    for each in refused:
        if prefixes := each.prefixes(names):
            share = len(prefixes) * len(each.keys) / len(names)
            reason = f"it has {', '.join(prefixes[0] + key for key in each.keys)}"
            given.append(Guess(each.name, tuple(prefixes), share, (reason,), (each.because.removesuffix("."),)))
    return sorted(given, key=lambda guess: (-guess.score, len(guess.doubts), -len(guess.reasons)))


def _keys(dialect: Dialect, prefix: str, found: Found) -> set[str]:
    return {prefix + entry.key for entry in dialect.entries(found[0])}


def _guess(dialect: Dialect, found: Mapping[Dialect, dict[str, Found]], total: int) -> Guess:
    own = found[dialect]
    count = sum(len(dialect.entries(block)) for block, _ in own.values())
    block, _ = next(iter(own.values()))
    reasons = [f"{count} of {total} arrays have its names and shapes", *dialect.speaks(block)]
    doubts = [*dialect.doubts(block)]
    two_layers = isinstance(block, TWO_LAYERS)
    doubts += [DOUBT] if two_layers and any(map(is_called_so, own)) else []
    same = []
    for other, theirs in found.items():
        if other is not dialect and theirs.keys() == own.keys():
            apart = _told_apart(other, own, theirs)
            doubts += [apart] if apart else []
            same += [] if apart else [other.name]
    reasons += [f"{', '.join(same)} would mean the same"] if same else []
    alone = block if len(own) == 1 and count == total else None
    untold = tuple(name for name in dialect.options if name not in block.overruled())
    return Guess(dialect.name, tuple(own), count / total, tuple(reasons), tuple(doubts), untold, alone)


def _told_apart(other: Dialect, own: Mapping[str, Found], theirs: Mapping[str, Found]) -> str:
    """Say how another dialect reads the same arrays, if otherwise."""
    (first, weights), (second, others) = next(iter(own.values())), next(iter(theirs.values()))
    if type(first) is not type(second):
        return f"{other.name} reads the same arrays as {second!r}"
    fields = [f"{field}={there!r}" for field, there, _ in differences(second, first)]
    arrays = [name for name in weights if name in others and not np.array_equal(weights[name], others[name])]
    turned = [f"another order in {name}" for name in arrays]
    return f"{other.name} reads the same arrays with {', '.join(fields + turned)}" if fields or arrays else ""
