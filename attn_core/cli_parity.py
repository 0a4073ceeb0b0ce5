"""The command `attn parity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from attn_core.calls import parse_shape
from attn_core.console import FAILED, UNREADABLE, counted, one_sentence, out, refuse, say, with_progress
from attn_core.parity import RUNTIMES, report
from attn_core.parity.matrix import MODES, Plan, run
from attn_core.parity.matrix import report as reported
from attn_core.parity.pinned import DEFINITION
from attn_core.parity.report import texts
from attn_core.parity.result import LEFT_OUT, Cell, Report
from attn_core.parity.subjects import chosen
from attn_core.rounding.arithmetic import DTYPES
from attn_core.spec import SpecError

NAMES = (DEFINITION, *RUNTIMES)
MOST = 8  # failures that the terminal shows in full


def parity(
    blocks: Annotated[
        list[str] | None,
        typer.Option(help="'all', names, or configurations such as 'CBAM(64, kernel=3)'; again for more"),
    ] = None,
    runtimes: Annotated[
        str, typer.Option(help=f"which of {', '.join(NAMES)}; 'definition' is the block itself, as released")
    ] = ",".join(NAMES),
    dtypes: Annotated[str, typer.Option(help="which of float64, float32, bfloat16, float16")] = "float32",
    modes: Annotated[str, typer.Option(help="eval, train or both")] = ",".join(MODES),
    shapes: Annotated[
        list[str] | None,
        typer.Option("--shape", help="'2,64,14,14': batch, channels, pixels; again for a second input"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of weights and inputs; the same everywhere")] = 0,
    draws: Annotated[int, typer.Option(min=1, help="how often each cell is run, with the seeds that follow")] = 1,
    require: Annotated[str, typer.Option(help="runtimes that must be installed, with commas")] = "",
    json: Annotated[Path | None, typer.Option(help="write the report for programs")] = None,
    junit: Annotated[Path | None, typer.Option(help="write the report for CI")] = None,
    html: Annotated[Path | None, typer.Option(help="write the report as a page")] = None,
) -> None:
    """Compare the layers of every framework with the definition.

    Outputs, gates, gradients and, after a step of training, running
    statistics must lie within bounds that are derived from the block, the
    weights and the dtype. Exit code 1 if one does not, 2 if something cannot
    be run as asked.
    """
    with one_sentence():
        paths = {form: path for form, path in (("json", json), ("junit", junit), ("html", html)) if path}
        report.prepare(paths)
        plan = Plan(
            chosen(blocks or ["all"], tuple(map(parse_shape, shapes or ()))),
            _several(runtimes, NAMES, "runtime"),
            _several(dtypes, DTYPES, "dtype"),
            _several(modes, MODES, "mode"),
            seed,
            draws,
        )
        absent = [plan.missing[name] for name in _several(require, RUNTIMES, "runtime") if name in plan.missing]
        if absent:
            refuse(absent[0], UNREADABLE)
        cells = list(with_progress(run(plan), len(plan), "comparing"))
        found = reported(plan, cells)
        report.write(found, paths)
    _show(found)
    for path in paths.values():
        say(f"written: {path}")
    if found.failures:
        raise typer.Exit(FAILED)
    if not any(cell.shares for cell in cells):
        refuse(f"{texts.headline(found)}.", UNREADABLE)


def _several(text: str, known: object, kind: str) -> list[str]:
    """Return the words of a list with commas."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    names = list(known)  # type: ignore[call-overload]
    for word in words:
        if word not in names:
            raise SpecError(f"There is no {kind} {word!r}; there are {', '.join(names)}.")
    return list(dict.fromkeys(words))


def _show(found: Report) -> None:
    """Print the worst of each block in a table, then what failed."""
    columns = list(dict.fromkeys((cell.runtime, cell.dtype, cell.mode) for cell in found.cells))
    table = Table("block", title="largest error / bound")
    for column in columns:
        table.add_column("\n".join(column), justify="right")
    for block in dict.fromkeys(cell.block for cell in found.cells):
        own = [cell for cell in found.cells if cell.block == block]
        places = [[cell for cell in own if (cell.runtime, cell.dtype, cell.mode) == column] for column in columns]
        table.add_row(block, *(texts.mark(max(cells, key=_badness)) if cells else "" for cells in places))
    if found.cells:
        out.print(table)
    for name, reason in found.missing.items():
        say(f"missing: {name}. {reason}")
    for cell in found.failures[:MOST]:
        _explain(cell)
    if len(found.failures) > MOST:
        say(f"and {counted(len(found.failures) - MOST, 'cell')} more")
    say(f"{texts.headline(found)}. {texts.confidence(found)}")


def _badness(cell: Cell) -> tuple[bool, float]:
    return cell.status != LEFT_OUT, cell.share


def _explain(cell: Cell) -> None:
    say(f"{cell.text} in {cell.runtime}, {cell.dtype}, {cell.mode}:")
    tensor = texts.worst(cell)
    for line in (cell.message, texts.difference(tensor) if tensor else "", texts.where(cell)):
        if line:
            say(f"  {line}")
    say(f"  again: {cell.command}")
