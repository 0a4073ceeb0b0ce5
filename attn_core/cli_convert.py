"""The command `attn convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from attn_core.console import FAILED, counted, one_sentence, out, refuse, say, spelt

if TYPE_CHECKING:
    from attn_core.convert import Converted


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
    from attn_core.convert import convert as run
    from attn_core.convert import options_of
    from attn_core.dialects import InexpressibleError

    with one_sentence():
        try:
            done = run(path, source, target, output, prefix=prefix, options=options_of(option or ()))
        except InexpressibleError as error:
            refuse(str(error), FAILED)
    for each in done:
        say(f"{each.block!r}{' at ' * bool(each.source)}{each.source}")
    out.print(_table(done, source, target))
    say(f"{counted(len(done))} written to {output}.")


def _table(done: list[Converted], source: str, target: str) -> Table:
    table = Table(*(Column(title, overflow="fold") for title in (source, "layout", "here", target, "layout")))
    for row in (row for each in done for row in each.rows):
        table.add_row(spelt(row.source), row.source_layout, row.ours, spelt(row.target), row.target_layout)
    return table
