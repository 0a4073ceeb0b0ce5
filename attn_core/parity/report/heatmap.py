"""The table of a report: rows of blocks and shapes, columns of runtimes, dtypes and modes, and the colour of a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from attn_core.parity.report.texts import shapes
from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, Cell, Report

PASSING = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0)  # the upper ends of the colours below the bound
FAILING = (10.0, 1000.0, float("inf"))  # and above it


@dataclass(frozen=True)
class Column:
    """One combination of which the map has a column."""

    runtime: str
    dtype: str
    mode: str


@dataclass(frozen=True)
class Row:
    """One block on inputs of one shape: its cells in the order of the columns, None where none was asked for."""

    first: Cell
    cells: tuple[Cell | None, ...]


def columns(report: Report) -> list[Column]:
    """Return the columns; the dtypes of a runtime stand together, and the modes of a dtype."""
    cells = report.cells
    runtimes, dtypes, modes = (_order([getattr(cell, name) for cell in cells]) for name in ("runtime", "dtype", "mode"))
    used = {Column(cell.runtime, cell.dtype, cell.mode) for cell in cells}
    every = (Column(runtime, dtype, mode) for runtime in runtimes for dtype in dtypes for mode in modes)
    return [column for column in every if column in used]


def rows(report: Report) -> list[Row]:
    """Return the rows in the order in which the blocks were run; of cells in one place, such as seeds, the worst."""
    across = columns(report)
    table: dict[tuple[str, object], dict[Column, Cell]] = {}
    for cell in report.cells:
        cells = table.setdefault((cell.text, cell.shapes), {})
        column = Column(cell.runtime, cell.dtype, cell.mode)
        cells[column] = max(cells.get(column, cell), cell, key=lambda each: each.share)
    return [Row(next(iter(row.values())), tuple(map(row.get, across))) for row in table.values()]


def heads(across: Sequence[Column]) -> list[list[tuple[Column, int]]]:
    """Return three lines of headings, each with how many columns it spans; "" is what a line does not tell apart."""
    runtimes = [Column(column.runtime, "", "") for column in across]
    dtypes = [Column(column.runtime, column.dtype, "") for column in across]
    return [list(Counter(line).items()) for line in (runtimes, dtypes, across)]


def find(cell: Cell) -> str:
    """Return what a search for a block looks through."""
    return f"{cell.text} {shapes(cell)}".lower()


def colour(cell: Cell) -> str:
    """Return the class of a cell's colour: p0 to p5 below the bound, f0 to f2 above."""
    if cell.status in (BROKEN, LEFT_OUT):
        return {BROKEN: "broken", LEFT_OUT: "left-out"}[cell.status]
    kind, ends = ("f", FAILING) if cell.status == FAILED else ("p", PASSING)
    return f"{kind}{next((i for i, end in enumerate(ends) if cell.share <= end), len(ends) - 1)}"


def _order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
