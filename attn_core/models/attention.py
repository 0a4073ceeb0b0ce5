"""Which attention a network has, in a configuration that does not know the number of channels yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attn_core.blocks import BLOCKS, CBAM, ShuffleAttention, SqueezeExcitation
from attn_core.models.words import meant_call
from attn_core.spec import Block, SpecError
from attn_core.spec.calls import parse

# A name of `SHORT`, a block of this collection as text or class, a function from the channels to a block, or none.
Attention: TypeAlias = str | Callable[[int], Block] | None


def _squeeze_excitation(channels: int, rank: int) -> Block:
    return SqueezeExcitation(channels, hidden=max(1, round(channels / 16)))


def _cbam(channels: int, rank: int) -> Block:
    return CBAM(channels, rank=rank)


def _shuffle(channels: int, rank: int) -> Block:
    return ShuffleAttention(channels)


SHORT: dict[str, Callable[[int, int], Block]] = {"se": _squeeze_excitation, "cbam": _cbam, "shuffle": _shuffle}


def named(choice: Attention) -> Attention:
    """Return the name in place of a class of this collection: what a file can hold."""
    return choice.__name__ if isinstance(choice, type) and choice in BLOCKS.values() else choice


def attention(choice: Attention, channels: int, rank: int) -> Block | None:
    """Return the attention block for images of this many channels and spatial axes.

    ``"se"`` has round(channels / 16) hidden units, ``"cbam"`` is that of the defaults, ``"shuffle"`` has 64 groups or
    as many as the channels allow. A text such as ``"CBAM(reduction=8)"`` is any block of the collection, or what people
    call it, as ``"eca"``: `channels` and `rank` are filled in. **Raises** `SpecError` for anything else, and where the
    block does.
    """
    if choice is None:
        return None
    block = _chosen(choice, channels, rank)
    if len(block.inputs) > 1:
        raise SpecError(
            f"attention={choice!r} takes {len(block.inputs)} inputs; in a network, attention takes an image."
        )
    return block


def _chosen(choice: str | Callable[[int], Block], channels: int, rank: int) -> Block:
    if not isinstance(choice, str):
        return _made(choice, channels)
    if choice.lower() in SHORT:
        return SHORT[choice.lower()](channels, rank)
    choice = meant_call(choice, BLOCKS)
    if choice.partition("(")[0] not in BLOCKS:
        names = ", ".join((*SHORT, *BLOCKS))
        raise SpecError(f"attention={choice!r} is none of {names}, a function of the channels, or None.")
    return parse(choice if "(" in choice else f"{choice}()", BLOCKS, channels=channels, rank=rank)


def _made(choice: Callable[[int], Block], channels: int) -> Block:
    block = choice(channels) if callable(choice) else choice
    if not isinstance(block, Block):
        made = f"made {block!r} for {channels} channels" if callable(choice) else "is no function"
        raise SpecError(f"attention={choice!r} {made}: give a function of the channels that returns a block.")
    return block
