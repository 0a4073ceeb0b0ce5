"""The command `attn convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from attn_core.cli.console import FAILED, counted, one_sentence, out, refuse, say, spelt

if TYPE_CHECKING:
    from attn_core.weights.dialects.convert import ArrayRow, Converted


def convert(
    path: Annotated[Path, typer.Argument(metavar="IN", help="safetensors, npz, pth, pt, h5, weights.h5 or keras file")],
    source: Annotated[str, typer.Option("--from", help="dialect of the file, as timm.CbamModule, or canonical")],
    target: Annotated[str, typer.Option("--to", help="dialect of the result, or canonical")],
    output: Annotated[Path, typer.Option("--out", help="safetensors, npz, pth, pt or h5 file; replaced if it exists")],
    prefix: Annotated[str | None, typer.Option(help="convert the block behind this prefix alone")] = None,
    option: Annotated[list[str] | None, typer.Option(help="a field that arrays do not tell, as groups=8")] = None,
) -> None:
    """Convert blocks from one source's names and layouts to another's.

    All blocks of the dialect that a network's file holds are converted.
    Exit code 0: the result is written.
    1: the target cannot express a block; nothing is written.
    2: something cannot be read or written; nothing is written.
    """
    from attn_core.weights.dialects import InexpressibleError
    from attn_core.weights.dialects.convert import convert as run
    from attn_core.weights.dialects.convert import options_of

    with one_sentence():
        try:
            done = run(path, source, target, output, prefix=prefix, options=options_of(option or ()))
        except InexpressibleError as error:
            refuse(str(error), FAILED)
    for rows, alike in _by_rows(done).items():
        for each in alike:
            say(f"{each.block!r}{_places(each)}")
        out.print(_table(rows, source, target))
    say(f"{counted(len(done))} written to {output}.")


def _by_rows(done: list[Converted]) -> dict[tuple[ArrayRow, ...], list[Converted]]:
    """Put blocks together that are mapped alike."""
    found: dict[tuple[ArrayRow, ...], list[Converted]] = {}
    for each in done:
        found.setdefault(each.rows, []).append(each)
    return found


def _places(each: Converted) -> str:
    """Say where a block is in both files."""
    moved = f" to {spelt(each.target)}" if each.target != each.source else ""
    return f" at {spelt(each.source)}{moved}" if each.source else ""


def _table(rows: tuple[ArrayRow, ...], source: str, target: str) -> Table:
    table = Table(*(Column(title, overflow="fold") for title in (source, target, "layout")))
    for row in rows:
        first, second = row.source_layout, row.target_layout
        table.add_row(spelt(row.source), spelt(row.target), first if first == second else f"{first} to {second}")
    return table
