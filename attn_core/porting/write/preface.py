"""What a source says of itself before its code."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from attn_core.porting.write.spelling import WIDTH


@dataclass(frozen=True)
class Preface:
    """Where a source comes from, what of the graph it leaves out, and the layout of its images."""

    origin: str
    dropped: tuple[str, ...]
    layout: str

    def docstring(self) -> str:
        """Write it as a module's docstring."""
        dropped = f"Dropped: {'; '.join(self.dropped)}." if self.dropped else ""
        paragraphs = [self.origin, "", self.layout, dropped]
        lines = [line for paragraph in paragraphs for line in _folded(paragraph)]
        text = "\n".join(lines).rstrip("\n")
        return f'"""{text}\n"""'


def _folded(line: str) -> list[str]:
    # Names of files and nodes are anybody's: none may end the docstring, or be an escape in it.
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    safe = printable.replace("\\", "/").replace('"', "'")
    return textwrap.wrap(safe, WIDTH - 4, break_on_hyphens=False, break_long_words=False) or [""]
