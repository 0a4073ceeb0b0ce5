"""The command `attn eject`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attn_core.cli.console import one_sentence, out, say
from attn_core.ejecting.targets import TARGETS
from attn_core.models.registry import example, named, parse


def eject(
    block: Annotated[str, typer.Argument(help="'CBAM(64, norm=True)', or a name alone for an example")],
    to: Annotated[str, typer.Option("--to", help=f"framework: {', '.join(TARGETS)}")],
    output: Annotated[
        Path | None,
        typer.Option("--out", help="file for the source; one that an earlier `attn eject` wrote is replaced"),
    ] = None,
    rank: Annotated[
        int | None, typer.Option(help="spatial axes of the images, for blocks that take any number; 2 if left out")
    ] = None,
) -> None:
    """Write a block as one file of one framework, which needs nothing of this package.

    The file is for this configuration alone. Weights have the names that they
    have in the block's layer, so they move both ways.
    Without --out, the source is printed.

    Exit code 0: the source is written.
    2: there is no such block or framework, or the file cannot be written;
    nothing is written.
    """
    from attn_core.ejecting.eject import eject as run
    from attn_core.ejecting.eject import write

    with one_sentence():
        # Of a word that is no block, `named` says which are near.
        word = block.partition("(")[0].strip()
        found = parse(named(word) + block[len(word) :].lstrip()) if "(" in block else example(named(word))
        text = run(found, to, rank=rank)
        if output is not None:
            write(output, text)
    if output is None:
        out.file.write(text)
    else:
        say(f"{found!r} written to {output}.")
