"""What was inserted where, as an object and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from attn_core.models.inserting.inserted import Inserted
from attn_core.spec import Block


@dataclass(frozen=True)
class Row:
    """One place: the layer's name, the side ("after", "before", "in place of"), the block, and what it adds.

    `multiply_adds` are those of one image of the pass that found the shapes, of all calls of the layer in it; None
    where there was no pass. `keys` are the new names of weights.
    """

    place: str
    side: str
    block: Block
    start: str | float
    shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: int | None
    keys: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What was inserted: one row for each place, and the network. `print` shows a table.

    In PyTorch and NNX, `model` is the network that was given; in Keras and Linen a new one. `variables` are Linen's.
    """

    rows: tuple[Row, ...]
    model: Any = field(repr=False)
    variables: Any = field(default=None, repr=False)

    @property
    def keys(self) -> list[str]:
        """The new names of weights."""
        return [key for row in self.rows for key in row.keys]

    @property
    def parameters(self) -> int:
        """How many numbers that are learned were added."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int | None:
        """How many multiply-adds were added for one image, or None where there was no pass."""
        counts = [row.multiply_adds for row in self.rows if row.multiply_adds is not None]
        return sum(counts) if len(counts) == len(self.rows) else None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __str__(self) -> str:
        lines = [TITLES, *map(cells, self.rows), ("in all", "", "", "", *sums(self.parameters, self.multiply_adds))]
        notes = [f"{row.place}: {row.note}" for row in self.rows if row.note]
        return "\n".join([*_aligned(lines), *notes])


TITLES = ("place", "side", "block", "image", "parameters", "multiply-adds")


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as texts."""
    block = row.block.block if isinstance(row.block, Inserted) else row.block
    image = "x".join("?" if size is None else str(size) for size in row.shape[1:])
    return (row.place, row.side, repr(block), image, *sums(row.parameters, row.multiply_adds))


def sums(parameters: int, multiply_adds: int | None) -> tuple[str, str]:
    """Return the two numbers of a row or of all, as texts."""
    return f"{parameters:,}", "?" if multiply_adds is None else f"{multiply_adds:,}"


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = len(TITLES) - 2  # columns of words; then come numbers
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
