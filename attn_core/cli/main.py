"""The command `attn`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from attn_core.cli.bench import bench
from attn_core.cli.console import one_sentence, out, say
from attn_core.cli.convert import convert
from attn_core.cli.eject import eject
from attn_core.cli.insert import insert
from attn_core.cli.parity import parity
from attn_core.cli.port import port
from attn_core.interpreters.cost import cost
from attn_core.interpreters.formula import formula
from attn_core.models import CONSTRUCTORS
from attn_core.models.registry import FAMILIES, KNOWN, example, named, parse, searched
from attn_core.spec.calls import parse_shape

main = typer.Typer(
    help="Vision attention blocks that mean the same thing in every framework.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@main.command("list")
def list_blocks(
    words: Annotated[
        str, typer.Option("--search", help="only those with this in a name, a paper or what people say")
    ] = "",
) -> None:
    """List the blocks and networks, by family."""
    with one_sentence():
        found = searched(words)
    for family in FAMILIES:
        table = Table(
            Column("block", no_wrap=True), "also called", "source", title=family, title_justify="left", expand=True
        )
        for name in found:
            if KNOWN[name].family == family:
                table.add_row(name, ", ".join(KNOWN[name].words), KNOWN[name].source)
        if table.row_count:
            out.print(table)
    say(f"Networks of well-known configuration: {', '.join(CONSTRUCTORS)}.")


@main.command()
def show(
    block: Annotated[str, typer.Argument(help="'SqueezeExcitation(64, hidden=4)', or a name alone for an example")],
    shapes: Annotated[
        list[str] | None,
        typer.Option("--input", help="'8,64,56,56' for the cost: batch, channels, pixels; again for a second input"),
    ] = None,
) -> None:
    """Show a block: formula, fields, weights, and what it costs on an input."""
    with one_sentence():
        found = parse(block) if "(" in block else example(named(block))
        arrays, text = found.arrays(), formula(found)
        inputs = tuple(map(parse_shape, shapes)) if shapes else found.example()
        costs = cost(found, *inputs)
    fields, weights = Table("field", "value"), Table("weights", "shape", "start")
    for name, value in found.config().items():
        fields.add_row(name, "without effect" if name in found.overruled() else repr(value))
    for name, array in arrays.items():
        start = str(array.law) if array.trainable else f"{array.law} (running)"
        weights.add_row(name, str(array.shape), start)
    for line in (repr(found), found.source, "", *text.splitlines(), ""):
        say(line)
    out.print(*([fields] if fields.row_count else []), *([weights] if arrays else []))
    say(f"{costs.parameters:,} parameters")
    given = " and ".join("x".join(map(str, shape)) for shape in inputs)
    say(f"on {given}: {costs.multiply_adds:,} multiply-adds, {4 * costs.numbers_moved:,} bytes moved in float32")


main.command()(convert)
main.command()(eject)
main.command()(port)
main.command()(parity)
main.command()(insert)
main.command()(bench)
