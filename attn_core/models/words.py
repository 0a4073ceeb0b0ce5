"""What people call the blocks: their class variable `words`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attn_core.spec import Block, SpecError

Known = Mapping[str, type[Block]]

# Of what is not here, too, for one would take the block that is.
ELSEWHERE = {"psa": "polarized self-attention and pyramid squeeze attention, which are not here"}


def plain(word: str) -> str:
    """Return the letters and digits of a word, small: "SA-Net" and "sa_net" are the same."""
    return re.sub(r"[^a-z0-9]", "", word.lower())


def called(word: str, known: Known) -> list[str]:
    """Return the names of the blocks that people call so; the names themselves count, however they are written."""
    return [name for name, block in known.items() if plain(word) in map(plain, (name, *block.words))]


def meant(word: str, known: Known) -> str:
    """Return the name of the block that a word stands for, or the word where it stands for none.

    **Raises** `SpecError` for a word of several, with their names.
    """
    found = called(word, known)
    others = ELSEWHERE.get(plain(word), "")
    if word in found or not found:
        return word
    if len(found) == 1 and not others:
        return found[0]
    raise SpecError(f"{word!r} is what people call {' and '.join([*found, *[others] * bool(others)])}: say which.")


def meant_call(text: str, known: Known) -> str:
    """Return a text such as ``SE(64)`` with the block's name in place of the word before the bracket."""
    word, bracket, rest = text.partition("(")
    return meant(word.strip(), known) + bracket + rest
