"""Why somebody's arrays are not a block's, in a sentence."""

from __future__ import annotations

from attn_core.parity.foreign.layer import Foreign, State
from attn_core.spec import Block
from attn_core.weights import dialects
from attn_core.weights.dialects.dialect import Dialect, InexpressibleError


def unread(theirs: Foreign, state: State, block: Block) -> str:
    """Say what the arrays are, what the block has, and what else they may be."""
    wanted = ", ".join(f"{name} {array.shape}" for name, array in block.arrays().items()) or "none"
    readings = [(guess.dialect, _guessed(guess, state)) for guess in dialects.guess(state) if guess.score == 1]
    same = [f"{name} reads {other!r}" for name, other in readings if type(other) is type(block)]
    near = f" Of these, {same[0]}." if same else ""
    advice = "Name a dialect, or give a map of its names to ours."
    return (
        f"{theirs.title} has the arrays {listed(state)}, which cannot be taken as {block!r}: {wanted}.{near} {advice}"
    )


def _guessed(guess: dialects.Guess, state: State) -> Block | None:
    try:
        return dialects.read(guess.dialect, state)[0]
    except dialects.DialectError:
        return None


def why_not(state: State, block: Block, dialect: Dialect) -> str:
    """Say why a dialect does not read them."""
    if dialect.block is not type(block):
        return f"{dialect.name} is a dialect of {dialect.block.__name__}, not of {type(block).__name__}."
    try:
        wanted = ", ".join(f"{each.key} {each.shape}" for each in dialect.entries(block))
    except InexpressibleError as error:
        return str(error)
    return f"in {dialect.name}, {block!r} has {wanted}; here are {listed(state)}."


def listed(state: State) -> str:
    """Return the arrays with their shapes, as many as a message holds."""
    held = [f"{key} {value.shape}" for key, value in state.items()]
    return ", ".join(held[:10]) + ", ..." * (len(held) > 10) or "none"
