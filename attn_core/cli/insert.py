"""The command `attn insert`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from attn_core.cli.console import one_sentence, out, say

if TYPE_CHECKING:
    from attn_core.models.inserting.report import Report


def insert(
    model: Annotated[str, typer.Option(help="a function that makes it, or the network: torchvision.models:resnet50")],
    block: Annotated[str, typer.Option(help="what to insert: a name as cbam, or a text as 'CBAM(reduction=8)'")],
    at: Annotated[str, typer.Option(help="after which layers: a glob on their names, as 'layer*.*.bn3'")] = "",
    before: Annotated[str, typer.Option(help="before which layers, in place of --at")] = "",
    start: Annotated[str, typer.Option(help="identity, paper or a number")] = "identity",
    arguments: Annotated[str, typer.Option("--args", help="what the network is made with, as 'num_classes=10'")] = "",
    shape: Annotated[
        str, typer.Option("--input", help="of an image that it takes, as '1,3,224,224'; else one is guessed")
    ] = "",
) -> None:
    """Say what inserting attention into a network would add, place by place.

    Nothing is written: `attn_torch.insert` and the like do the same in a program. Networks of PyTorch, Keras and NNX.
    Exit code 0: it can be inserted.
    2: it cannot, or the network cannot be made.
    """
    with one_sentence():
        found = _report(model, arguments, at or None, block, before or None, _start(start), shape)
    _show(found)


def _report(
    path: str, arguments: str, at: str | None, block: str, before: str | None, start: str | float, shape: str
) -> Report:
    from attn_core.parity.foreign.importing import load
    from attn_core.parity.foreign.layer import framework
    from attn_core.parity.runtimes import beside
    from attn_core.spec.calls import parse_shape

    network = load(path, arguments)
    runtime = framework(network)
    if runtime in (None, "linen"):
        raise ValueError(f"{path} is {type(network).__name__}, no network of PyTorch, Keras or NNX.")
    if runtime == "keras" and shape:
        raise ValueError(f"{path} is a network of Keras, which knows its images: leave --input out.")
    options: dict[str, Any] = {"input": parse_shape(shape)} if shape else {}
    insert = beside(str(runtime), "inserting.insert").insert
    report: Report = insert(network, at, block, before=before, start=start, **options)
    return report


def _start(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _show(report: Report) -> None:
    from attn_core.models.inserting.report import TITLES, cells, sums

    table = Table(*(Column(title, overflow="fold") for title in TITLES[:4]), show_footer=True)
    for title, total in zip(TITLES[4:], sums(report.parameters, report.multiply_adds), strict=True):
        table.add_column(title, footer=total, justify="right")
    table.columns[0].footer = "in all"
    for row in report:
        table.add_row(*cells(row))
    out.print(table)
    for row in report:
        if row.note:
            say(f"{row.place}: {row.note}.")
