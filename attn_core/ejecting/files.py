"""A whole file: what it says of itself, imports, helpers, classes, in lines that fit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.ejecting.classes import class_lines, instances
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.tracing.symbols import Trace
from attn_core.ejecting.writing.documents import folded

WIDTH = 100
MARK = "Written by `attn eject`"
LICENCE = "MIT License. Copyright (c) 2026 The attn authors."


def file_text(trace: Trace, language: Language) -> str:
    """Return the source of a block and of all blocks inside it."""
    classes = class_lines(instances(trace), language)
    body = "\n\n\n".join("\n".join(fitted(lines)) for lines in classes)
    helpers = _helpers(body, language)
    code = "\n\n\n".join([*helpers, body])
    return f"{_preface(trace, language)}\n\n" + "\n".join(language.imports(code)) + f"\n\n\n{code}\n"


def _preface(trace: Trace, language: Language) -> str:
    block = trace.block
    paragraphs = [
        f"{type(block).__name__} in {language.name}.",
        block.source,
        f"{MARK} for {block!r}. {language.weights}".replace('"', "'"),
        LICENCE,
    ]
    lines = "\n\n".join("\n".join(folded(paragraph, WIDTH - 4)) for paragraph in paragraphs if paragraph)
    return f'"""{lines}\n"""'


def _helpers(code: str, language: Language) -> list[str]:
    """Return the helpers that the code calls, and those that these call, before them."""
    found: list[str] = []

    def need(text: str) -> None:
        for name, helper in language.helpers.items():
            if re.search(rf"(?<![\w.]){name}\(|={name}\b", text) and helper not in found and helper is not text:
                need(helper)
                if helper not in found:
                    found.append(helper)

    need(code)
    return [helper.rstrip("\n") for helper in found]


# ---- lines that fit --------------------------------------------------------------------------------------------------


def fitted(lines: Iterable[str]) -> list[str]:
    """Return lines of which those that are too long are broken inside their outermost bracket."""
    return [each for line in lines for each in _fitted(line)]


def _fitted(line: str) -> list[str]:
    is_text = line.lstrip().startswith(('"""', "#")) or "(" not in line
    if len(line) <= WIDTH or is_text:
        return [line]
    start, inside, end = _bracket(line)
    if not inside:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    each = [piece for argument in inside for piece in _fitted(f"{indent}    {argument},")]
    return [start, *each, f"{indent}{end}"]


def _bracket(line: str) -> tuple[str, list[str], str]:
    """Cut a line at its last bracket that is not inside another one; return what is before, inside and after."""
    depth, opened, closed = 0, -1, -1
    for i, letter in enumerate(line):
        if letter in "([{":
            opened, depth = (i, 1) if not depth else (opened, depth + 1)
        elif letter in ")]}":
            depth -= 1
            closed = i if not depth else closed
    return line[: opened + 1], _arguments(line[opened + 1 : closed]), line[closed:]


def _arguments(text: str) -> list[str]:
    depth, found = 0, [""]
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [argument.strip() for argument in found if argument.strip()]
