"""Numbers in the text of a class that its instances may have different: they become its arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OPEN, CLOSE, SPLIT = "\x02", "\x03", "\x1f"
HOLE = re.compile(f"{OPEN}([^{SPLIT}]*){SPLIT}([^{CLOSE}]*){CLOSE}")


def hole(label: str, number: object) -> str:
    """Write a number that may become an argument; the label names the argument if no field of the block does."""
    return f"{OPEN}{label}{SPLIT}{number}{CLOSE}"


@dataclass(frozen=True)
class ClassText:
    """The text of a class but for its name: docstring, what makes the layers, and functions."""

    doc: tuple[str, ...]
    init: tuple[str, ...]
    functions: tuple[str, ...]
    helpers: tuple[str, ...] = ()  # functions beside the class

    def mapped(self, change: Callable[[str], str]) -> ClassText:
        """Return the text with every line changed."""
        return ClassText(*(tuple(map(change, lines)) for lines in (self.doc, self.init, self.functions, self.helpers)))

    @property
    def masked(self) -> ClassText:
        """The text without its numbers: what instances of one class share."""
        return self.mapped(lambda line: HOLE.sub(OPEN, line))

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """The labels and numbers of the holes, in order."""
        return [
            found for lines in (self.doc, self.init, self.functions) for line in lines for found in HOLE.findall(line)
        ]


def filled(text: ClassText, values: Sequence[str], within: str = "") -> ClassText:
    """Return a text with these values in its holes; names get the prefix `within` but in the docstring."""
    rest = iter(values)

    def doc(line: str) -> str:
        return HOLE.sub(lambda _: next(rest), line)

    def code(line: str) -> str:
        return _without_usual(HOLE.sub(lambda _: _prefixed(next(rest), within), line))

    lines = (tuple(map(doc, text.doc)), tuple(map(code, text.init)), tuple(map(code, text.functions)))
    return ClassText(*lines, text.helpers)


def _prefixed(value: str, within: str) -> str:
    return f"{within}{value}" if value.isidentifier() else value


def _without_usual(line: str) -> str:
    """Leave out a stride of 1, which goes without saying."""
    return re.sub(r", strides?=1(?=[,)])", "", line)
