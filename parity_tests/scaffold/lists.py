"""The lines that name a block in lists: the same ones in the `__init__` of each package's folder."""

from __future__ import annotations

import re

from scaffold.described import Described

LINE = re.compile(r"^from \.(\w+) import (\w+) as \2\n", re.MULTILINE)  # the second name makes it public for checkers


def with_block(text: str, block: Described) -> str:
    """Return the text of a folder's `__init__` with the lines that hand a block on, where their files' names belong."""
    lines = [f"from .{block.file} import {name} as {name}\n" for name in block.names]
    found = list(LINE.finditer(text))
    others = [match[0] for match in found if match[1] != block.file]
    start, end = (found[0].start(), found[-1].end()) if found else (len(text), len(text))
    return text[:start] + "".join(sorted(others + lines, key=_file)) + text[end:]


def _file(line: str) -> str:
    return line.split()[1]
