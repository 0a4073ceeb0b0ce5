"""The command `attn`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from attn_core.cli.console import one_sentence, out, say, with_progress
from attn_core.cli.convert import convert
from attn_core.cli.eject import eject
from attn_core.cli.parity import parity
from attn_core.cli.port import port
from attn_core.interpreters.cost import cost
from attn_core.interpreters.formula import formula
from attn_core.models import CONSTRUCTORS
from attn_core.models.registry import FAMILIES, KNOWN, example, named, parse, searched
from attn_core.parity.runtimes import beside
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


@main.command()
def bench(
    rounds: Annotated[int, typer.Option(min=4, help="interleaved rounds for each line")] = 41,
    threads: Annotated[int, typer.Option(min=1, help="threads of PyTorch; one gives the steadiest ratios")] = 1,
) -> None:
    """Time the PyTorch layer beside a plain hand-written module.

    Both run in turn, round by round. The ratio is the median over the rounds
    of our time divided by the plain module's: 1.05 means 5 % slower.
    Half of the rounds lie between the quartiles.
    """
    with one_sentence():
        timed = beside("torch", "bench")
    table = Table("image", "mode", title=f"SqueezeExcitation, median times, {threads} thread{'s' * (threads > 1)}")
    for title in ("ours us", "plain us", "ratio", "quartiles"):
        table.add_column(title, justify="right")
    for row in with_progress(timed.compare(rounds, threads), 2 * len(timed.SHAPES), "timing"):
        times = (f"{1e6 * row.ours:,.0f}", f"{1e6 * row.plain:,.0f}", f"{row.ratio:.3f}")
        mode = row.mode.removeprefix("forward ")
        table.add_row("x".join(map(str, row.shape)), mode, *times, " to ".join(f"{q:.3f}" for q in row.quartiles))
    out.print(table)
