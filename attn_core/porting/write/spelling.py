"""How numbers, texts, calls and lists are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from attn_core.porting.write.classes import Argument

WIDTH = 100  # letters of a line, as formatters are told most often
FEWEST = 3  # equal calls in a row that are written as a loop


class CallText(NamedTuple):
    """A function or class, and the arguments that it is called with."""

    function: str
    arguments: list[str]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"


def number(value: Any) -> str:
    """Write a number, or a pair of equal ones as one."""
    is_uniform = isinstance(value, tuple) and len(set(value)) == 1
    return repr(value[0] if is_uniform else value)


def quoted(value: object) -> str:
    """Write a value, texts in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def call(function: str, *arguments: object, **named: object) -> str:
    """Write a call."""
    texts = [str(argument) for argument in arguments]
    texts += [f"{name}={value}" for name, value in named.items()]
    return str(CallText(function, texts))


def named(texts: Mapping[str, str]) -> list[str]:
    """Write keyword arguments; empty ones are left out."""
    return [f"{name}={text}" for name, text in texts.items() if text]


def only_if(condition: bool, text: str) -> list[str]:
    """Return a text as an entry of a list, or no entry."""
    return [text] if condition else []


def cut(numbers: tuple[int | None, int | None, int | None]) -> str:
    """Write a slice."""
    start, stop, step = ("" if n is None else str(n) for n in numbers)
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def cuts(slices: Sequence[tuple[int | None, int | None, int | None]]) -> str:
    """Write an index of several axes; of the last alone, without those before it."""
    texts = [cut(each) for each in slices]
    if len(texts) > 2 and set(texts[:-1]) == {":"}:
        return f"..., {texts[-1]}"
    return ", ".join(texts)


def inside(crop: Sequence[tuple[int, int]], before: int) -> str:
    """Write an index that cuts pixels off the ends of axes, of which `before` stand before the first."""
    slices = [cut((start or None, -end or None, None)) for start, end in crop]
    return f"[{', '.join([*[':'] * before, *slices])}]"


def piece(fields: Mapping[str, Any]) -> str:
    """Write a slice's start and stop, without what goes without saying."""
    stop = None if fields["stop"] == fields["size"] else fields["stop"]
    return cut((fields["start"] or None, stop, None))


# ---- lines -----------------------------------------------------------------------------------------------------------


def wrapped(start: str, inside: list[str], end: str, indent: str) -> list[str]:
    """Write `start inside, inside end` on one line, or one line each; a call that is still too long, likewise."""
    line = f"{indent}{start}{', '.join(inside)}{end}"
    if len(line) <= WIDTH:
        return [line]
    each = [line for text in inside for line in _on_lines(text, f"{indent}    ")]
    return [f"{indent}{start}", *each, f"{indent}{end}"]


def _on_lines(text: str, indent: str) -> list[str]:
    name, opened, rest = text.partition("(")
    is_short = len(indent) + len(text) < WIDTH  # with its comma
    if is_short or not opened or not rest.endswith(")"):
        return [f"{indent}{text},"]
    arguments = [f"{indent}    {each}," for each in rest[:-1].split(", ")]
    return [f"{indent}{name}(", *arguments, f"{indent}),"]


def repeated(calls: list[str]) -> list[str]:
    """Write three or more equal calls in a row as a loop."""
    found: list[str] = []
    for text, group in groupby(calls):
        count = len(list(group))
        if count < FEWEST:
            found += [text] * count
        else:
            found.append(f"*({text} for _ in range({count}))")
    return found


def typed(arguments: Iterable[Argument]) -> list[str]:
    """Write arguments with their types and defaults."""
    return [_typed(argument) for argument in arguments]


def _typed(argument: Argument) -> str:
    kind = "bool" if argument.default in ("True", "False") else "int"
    default = f" = {argument.default}" if argument.default else ""
    return f"{argument.name}: {kind}{default}"
