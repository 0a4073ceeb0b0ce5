"""The variables of a function: what they are called, and when a name is free again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from attn_core.ejecting.tracing.symbols import Symbol
from attn_core.ejecting.words.code import Code

# What a step's result is called where the definition has no name for it.
USUAL = {
    "global_mean": "mean", "global_max": "maximum", "global_length": "length", "channel_mean": "mean",
    "channel_max": "maximum", "softmax": "weights", "sigmoid": "gate", "hard_sigmoid": "gate", "to_tokens": "tokens",
    "affine_grid": "grid", "concat": "both", "join": "line", "group": "grouped", "standardise": "distance",
}  # fmt: skip
FREE = ("y", "z", "u", "v", "w", "a", "b", "c")  # where a name of one letter is taken
SINGLE = {"pieces": "piece", "branches": "branch"}


@dataclass
class Variables:
    """Which variable holds what; `left` counts the uses of each symbol that are still to come."""

    left: Counter[Symbol] = field(default_factory=Counter)
    names: dict[Symbol, str] = field(default_factory=dict)
    numbered: frozenset[str] = frozenset()  # names of which several are needed at a time: the first has a 1
    clashed: set[str] = field(default_factory=set)  # those of which it turned out

    def hold(self, name: str, symbols: Iterable[Symbol]) -> None:
        """Let a variable hold a symbol."""
        for symbol in symbols:
            self.names[symbol] = name

    def text(self, symbol: Symbol) -> Code:
        """Return the variable of a symbol."""
        return Code(self.names[symbol])

    def read_by(self, symbols: Iterable[Symbol]) -> set[str]:
        """Return the names of the variables that hold these, as far as they do by now."""
        return {self.names[symbol] for symbol in symbols if symbol in self.names}

    def free(self, wanted: str, read: set[str]) -> str:
        """Return a name like the one wanted that holds nothing that is read later, nor is one of those read."""
        held = read | {name for symbol, name in self.names.items() if self.left[symbol] > 0}
        if wanted in held and len(wanted) > 1:
            self.clashed.add(wanted)
        alone = [] if wanted in self.numbered else [wanted]
        numbers = (f"{wanted}{i}" for i in range(2 if alone else 1, 10_000))
        name: str = next(name for name in (*alone, *(FREE if len(wanted) == 1 else ()), *numbers) if name not in held)
        return name


def called(symbol: Symbol, kind: str) -> str:
    """Return what a symbol is called: by the definition, by its place in a list, or by the step that made it."""
    if symbol.name:
        return symbol.name
    if symbol.place:
        name, i = symbol.place
        single = SINGLE.get(name, name.removesuffix("s"))
        return f"{single}{i + 1}" if single != name else name
    return USUAL.get(kind, "y")
