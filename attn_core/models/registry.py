"""Everything that has a name here: blocks, models, and the functions that make models of well-known configuration."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from attn_core.blocks import BLOCKS
from attn_core.models import CONSTRUCTORS, MODELS
from attn_core.models.words import meant, meant_call, plain
from attn_core.spec import Block, SpecError, calls

KNOWN: dict[str, type[Block]] = BLOCKS | MODELS
NAMED: dict[str, Callable[..., Block]] = {**KNOWN, **CONSTRUCTORS}

FAMILIES = (  # in the order in which they are listed
    "gates of channels",
    "gates of pixels",
    "gates of both",
    "attention among positions",
    "pooling and sampling",
    "channels",
    "networks",
)

PATCHES = {"bands": 30, "size": 25}
FITTING = {  # where 64 will not do
    "ChannelShuffle": {"groups": 4},
    "PointwiseSpatialAttention": {"size": 30},
    "SEResNet": {"classes": 1000},
    **dict.fromkeys(("HybridSN", "hybrid_sn", "hybrid_sn_2d_first", "hybrid_sn_attention"), PATCHES),
}


def parse(text: str, **given: Any) -> Block:
    """Return the block that a text such as ``CBAM(64)`` or ``SE(64)`` configures; see `calls.parse` and `words`."""
    is_name = text.partition("(")[0].strip() in NAMED  # hybrid_sn is no other spelling of HybridSN
    return calls.parse(text if is_name else meant_call(text, KNOWN), NAMED, **given)


def named(word: str) -> str:
    """Return the name of the block or network that a word stands for. **Raises** `SpecError` unless there is one."""
    name = word if word in NAMED else meant(word, KNOWN)
    if name in NAMED:
        return name
    near = difflib.get_close_matches(word, NAMED, n=3)
    hint = f"nearest: {', '.join(near)}" if near else f"there are {', '.join(NAMED)}"
    raise SpecError(f"No block is called {word!r}; {hint}.")


def created(word: str, *arguments: Any, **options: Any) -> Block:
    """Return the block or network that a word stands for, with these fields.

    **Raises** `SpecError` for a word of none or of several, and for fields that it has not.
    """
    make = NAMED[named(word)]
    try:
        inspect.signature(make).bind(*arguments, **options)
    except TypeError as error:
        fields = ", ".join(inspect.signature(make).parameters)
        raise SpecError(f"{named(word)}: {error}; its fields are {fields}.") from None
    return make(*arguments, **options)


def list_blocks(family: str = "") -> list[str]:
    """Return the names of all blocks and networks, or of those of the families with this in their names, as "gates".

    Each may be called by what people call it, too: the class variable `words`. **Raises** `SpecError` for no family.
    """
    families = [name for name in FAMILIES if plain(family) in plain(name)]
    if not families:
        raise SpecError(f"{family!r} is no family; there are {', '.join(FAMILIES)}.")
    return [name for each in families for name, block in KNOWN.items() if block.family == each]


def searched(words: str) -> list[str]:
    """Return the names of which the words stand in one, in its paper, or in what people call it; all for no words.

    **Raises** `SpecError` if there is none.
    """

    def says(name: str, block: type[Block]) -> bool:
        return any(plain(words) in plain(text) for text in (name, block.source, *block.words))

    # What has neither a letter nor a digit would stand in every text.
    found = [name for name, block in KNOWN.items() if says(name, block)] if plain(words) or not words else []
    if not found:
        raise SpecError(f"Nothing here is called {words!r}: `attn list` lists all that there is.")
    return found


def example(name: str) -> Block:
    """Return a block of this name with the default of every field; 64, or `FITTING`, stands for fields without one."""
    make, own = NAMED[name], FITTING.get(name, {})
    fields = [p for p in inspect.signature(make).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return make(**{field.name: own.get(field.name, 64) for field in fields if field.default is field.empty})
