"""What a block is run on to be written down: symbols, which remember the step that made them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from attn_core.interpreters.shapes import Shape
from attn_core.spec import Block, Part

# What these return is an image, or an array with the same axes in every framework.
IMAGES = frozenset((
    "channel_mean", "channel_max", "adaptive_mean", "mean_pool", "max_pool", "resize", "sample",
    "channels_to_depth", "exchange", "join", "cut", "channel_shuffle", "scale", "shift", "standardise",
    "to_image",
))  # fmt: skip
ARRAYS = frozenset((
    "global_mean", "global_max", "global_length", "affine_grid", "to_tokens", "flatten", "einsum", "softmax",
    "attend", "normalise", "take", "matrices", "batch_mean",
))  # fmt: skip


@dataclass(eq=False)
class Symbol:
    """An array: its canonical shape for the example's inputs, and whether it is laid out as an image.

    `name` is what the definition calls it. `place` is where it stands in a list that the definition gives a name.
    """

    shape: Shape
    is_image: bool
    name: str = ""
    names: list[tuple[CodeType, str]] = field(default_factory=list)  # what each function calls it
    place: tuple[str, int] | None = None


@dataclass(eq=False)
class Step:
    """One call of a primitive or a part. `given` are symbols, lists of symbols, and constants."""

    kind: str
    given: tuple[Any, ...]
    outputs: list[Symbol]
    part: str = ""

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols that it reads, in order."""
        return [symbol for each in self.given for symbol in symbols_in(each)]


@dataclass
class Call:
    """A call of one of the definition's own functions: what it was given and returned, and its steps' places."""

    code: CodeType
    arguments: dict[str, Symbol]
    first: int
    doc: str = ""  # what the function says of itself
    last: int = 0
    result: Any = None


@dataclass
class Trace:
    """A block's run: its inputs by name, its steps in order, its output, and the runs of the blocks inside."""

    block: Block
    inputs: dict[str, Symbol]
    steps: list[Step] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    inside: dict[str, Trace] = field(default_factory=dict)
    result: Any = None
    is_fixed: bool = False  # whether it takes images of one size only

    @property
    def output(self) -> Symbol:
        """The block's output."""
        output: Symbol = self.result
        return output

    @property
    def leaves(self) -> dict[str, Part]:
        """The parts that are no blocks."""
        return {name: part for name, part in self.block.parts().items() if isinstance(part, Part)}


def symbols_in(value: Any) -> list[Symbol]:
    """Return the symbols of a value: itself, or those of a list."""
    if isinstance(value, Symbol):
        return [value]
    if isinstance(value, list | tuple):
        return [symbol for each in value for symbol in symbols_in(each)]
    return []
