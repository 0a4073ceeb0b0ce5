"""`attn port` for a whole network: what it prints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.table import Column, Table

from attn_core.cli.console import FAILED, counted, err, out, refuse, say, spelt
from attn_core.porting import recorded, whole_network
from attn_core.porting.folder import require_own
from attn_core.porting.heap import give_back
from attn_core.porting.network.inference import Options
from attn_core.porting.port import BOUND, Check, Port
from attn_core.porting.proof import prove
from attn_core.porting.whole_network import MANIFEST


def port_whole(
    checkpoint: Path,
    target: str,
    output: Path,
    io: Path | None,
    averages: bool,
    options: Options,
    allow_unknown: bool,
    tensorflow: bool,
) -> None:
    """Port a network, print every comparison, and write it if all are within the bound."""
    require_own(output, MANIFEST)
    arrays = recorded.arrays(io) if io else None
    with err.status("reading the graph and running it"):
        port = whole_network.read(checkpoint, target, options, averages=averages, allow_unknown=allow_unknown)
    say(f"Read: {port.network.inference.graph.source}, from {_ends(port)}: {_parts(port)}.")

    def compare(folder: Path) -> None:
        give_back()
        with err.status(f"running both, in {target}"):
            prove(port, folder, arrays, tensorflow)
        _tell(port)
        if not port.passed:
            failed = ", ".join(f"{check.what} ({check.against})" for check in port.checks if not check.passed)
            result = port.network.inference.output.node
            refuse(f"beyond the bound of {_bound(port)} at {result!r}, nothing was written: {failed}.", FAILED)

    whole_network.write(port, output, compare)
    say(f"Written to {output}: model.py, weights.safetensors, {MANIFEST}; all judged errors within {_bound(port)}.")
    if not port.checks:
        say("Not compared: the source has gaps, calls of `unknown`.", style="yellow")


def _bound(port: Port) -> str:
    """Say within what errors pass; a graph of half precision has a second bound."""
    half = f", or {port.witnessed:.1g} beside TensorFlow's half precision" if port.witnessed > BOUND else ""
    return f"{BOUND:g}{half}"


def _ends(port: Port) -> str:
    return f"{port.network.inference.image.node!r} to {port.network.inference.output.node!r}"


def _parts(port: Port) -> str:
    """Say what a network is made of."""
    kinds = [step.kind for step in port.network.steps]
    names = {"conv": "convolution", "depthwise": "depthwise convolution", "norm": "batch norm", "dense": "dense layer"}
    names["attention"] = "attention block"
    found = [counted(kinds.count(kind), name) for kind, name in names.items() if kind in kinds]
    return ", ".join(found) or "no layers"


def _tell(port: Port) -> None:
    if port.checks:
        table = Table(Column("what", overflow="fold"), Column("compared with", overflow="fold"))
        for title in ("absolute", "relative"):
            table.add_column(title, justify="right", no_wrap=True)
        for check in port.checks:
            style = None if check.passed else "red"
            table.add_row(spelt(check.what), check.against, *_numbers(check), style=style)
        out.print(table)
        say("NumPy runs the graph in float64, TensorFlow in float32; the numbers are the images' sizes.")
        say(f"Largest errors; a check passes if either is within {_bound(port)}. In parentheses: told, not judged.")
    for note in port.notes:
        say(f"note: {note}")


def _numbers(check: Check) -> Iterable[str]:
    for number in (check.absolute, check.relative):
        text = f"{number:.1e}"
        yield (text if check.passed else f"{text} !") if check.judged else f"({text})"
