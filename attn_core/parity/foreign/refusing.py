"""Why somebody's arrays are not a block's, in a sentence."""

from __future__ import annotations

from attn_core.parity.foreign.fitting import NamedShape
from attn_core.parity.foreign.layer import Foreign, State
from attn_core.spec import Block
from attn_core.weights import dialects
from attn_core.weights.dialects.dialect import Dialect, InexpressibleError

MOST = 10  # arrays that a message lists


def unread(theirs: Foreign, state: State, block: Block) -> str:
    """Say what the arrays are, what the block has, and what else they may be."""
    arrays = [str(NamedShape(name, array.shape)) for name, array in block.arrays().items()]
    wanted = ", ".join(arrays) or "none"
    reason = f"{theirs.title} has the arrays {listed(state)}, which cannot be taken as {block!r}: {wanted}."
    advice = "Name a dialect, or give a map of its names to ours."
    return f"{reason}{_near(state, block)} {advice}"


def _near(state: State, block: Block) -> str:
    """Say which dialect reads the arrays as such a block with other settings, if one does."""
    for guess in dialects.guess(state):
        if type(guess.block) is type(block):
            return f" Of these, {guess.dialect} reads {guess.block!r}."
    return ""


def why_not(state: State, block: Block, dialect: Dialect) -> str:
    """Say why a dialect does not read them."""
    if dialect.block is not type(block):
        return f"{dialect.name} is a dialect of {dialect.block.__name__}, not of {type(block).__name__}."
    try:
        entries = dialect.entries(block)
    except InexpressibleError as error:
        return str(error)
    arrays = [str(NamedShape(each.key, each.shape)) for each in entries]
    wanted = ", ".join(arrays)
    return f"in {dialect.name}, {block!r} has {wanted}; here are {listed(state)}."


def listed(state: State) -> str:
    """Return the arrays with their shapes, as many as a message holds."""
    held = [str(NamedShape(key, value.shape)) for key, value in state.items()]
    more = ", ..." if len(held) > MOST else ""
    return ", ".join(held[:MOST]) + more or "none"
