"""The lines that name a block in lists: one in the `__init__` of each package's folder."""

from __future__ import annotations

import re

from scaffold.described import Described


def with_block(text: str, package: str, block: Described) -> str:
    """Return the text of a folder's `__init__` with the lines that hand a block on, among those of other blocks."""
    home = f"{package}.{block.place}"
    lines = [f"from {home} import {name} as {name}\n" for name in block.names]
    if all(line in text for line in lines):
        return text
    own = re.compile(rf"^from {re.escape(package)}\.{block.folder}\.\w+ import (\w+) as \1\n", re.MULTILINE)
    known = {match[0] for match in own.finditer(text)}
    before, *_ = own.split(text, 1)
    return before + "".join(sorted(known | set(lines), key=_by_module)) + own.sub("", text[len(before) :])


def _by_module(line: str) -> tuple[str, str]:
    _, module, _, name, *_ = line.split()
    return module, name
