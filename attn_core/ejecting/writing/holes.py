"""Numbers in the text of a class that its instances may have different: they become its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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

    @property
    def masked(self) -> tuple[tuple[str, ...], ...]:
        """The code without its numbers: what instances of one class share."""
        lines = (self.init, self.functions, self.helpers)
        return tuple(tuple(HOLE.sub(OPEN, line) for line in each) for each in lines)

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """The labels and numbers of the holes of the code, in order."""
        return [found for line in (*self.init, *self.functions) for found in HOLE.findall(line)]


def filled(text: ClassText, values: Sequence[str], given: Mapping[str, str], within: str = "") -> ClassText:
    """Return a text with these values in its holes; names get the prefix `within`.

    In the docstring, numbers become the arguments that have them: `given`, by name.
    """
    rest = iter(values)
    by_number = {number: name for name, number in reversed(list(given.items()))}

    def doc(found: re.Match[str]) -> str:
        label, number = found.groups()
        return str(label if given.get(label) == number else by_number.get(number, number))

    def code(line: str) -> str:
        return _without_usual(HOLE.sub(lambda _: _prefixed(next(rest), within), line))

    told = tuple(HOLE.sub(doc, line) for line in text.doc)
    return ClassText(told, tuple(map(code, text.init)), tuple(map(code, text.functions)), text.helpers)


def _prefixed(value: str, within: str) -> str:
    return f"{within}{value}" if value.isidentifier() else value


def _without_usual(line: str) -> str:
    """Leave out a stride of 1, which goes without saying."""
    return re.sub(r", strides?=1(?=[,)])", "", line)
