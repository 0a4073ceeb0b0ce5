"""The command `attn parity`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from attn_core.cli.console import FAILED, UNREADABLE, counted, one_sentence, out, refuse, say, with_progress
from attn_core.interpreters.rounding.arithmetic import DTYPES
from attn_core.models.registry import parse
from attn_core.parity import RUNTIMES, report, runtime
from attn_core.parity.foreign.importing import check_foreign
from attn_core.parity.foreign.settings import modes_of
from attn_core.parity.matrix import MODES, Plan, run
from attn_core.parity.matrix import report as reported
from attn_core.parity.pinned import DEFINITION
from attn_core.parity.report import texts
from attn_core.parity.result import LEFT_OUT, Cell, Report
from attn_core.parity.subjects import Trial, chosen
from attn_core.spec import SpecError
from attn_core.spec.calls import parse_shape

NAMES = (DEFINITION, *RUNTIMES)
MOST = 8  # failures that the terminal shows in full


def parity(
    layer: Annotated[
        str | None, typer.Argument(help="somebody's layer, as my_package.layers:MySE, in place of ours")
    ] = None,
    blocks: Annotated[
        list[str] | None,
        typer.Option(help="'all', names, or configurations such as 'CBAM(64, kernel=3)'; again for more"),
    ] = None,
    runtimes: Annotated[str, typer.Option(help=f"of {', '.join(NAMES)} (the block itself, as released)")] = ",".join(
        NAMES
    ),
    dtypes: Annotated[str, typer.Option(help=f"of {', '.join(DTYPES)}")] = "float32",
    modes: Annotated[str, typer.Option(help="of eval, train; train only where it differs")] = ",".join(MODES),
    shapes: Annotated[
        list[str] | None,
        typer.Option("--shape", help="'2,64,14,14': batch, channels, pixels; again for a second input"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of weights and inputs; the same everywhere")] = 0,
    draws: Annotated[
        int | None,
        typer.Option(min=1, help="how often weights and images are drawn: by default once, a layer of yours 3 times"),
    ] = None,
    require: Annotated[str, typer.Option(help="runtimes that must be installed, with commas")] = "",
    block: Annotated[str | None, typer.Option(help="what the layer is to be, as 'SqueezeExcitation(64)'")] = None,
    dialect: Annotated[str | None, typer.Option(help="how the layer names its weights, as timm.SEModule")] = None,
    arguments: Annotated[str, typer.Option("--args", help="what the layer is made with, as '64, reduction=16'")] = "",
    json: Annotated[Path | None, typer.Option(help="write the report for programs")] = None,
    junit: Annotated[Path | None, typer.Option(help="write the report for CI")] = None,
    html: Annotated[Path | None, typer.Option(help="write the report as a page")] = None,
) -> None:
    """Compare layers with the definition: ours in every framework, or somebody's.

    Outputs, gates, gradients and, after a step of training, running
    statistics must lie within bounds that are derived from the block, the
    weights and the dtype. Exit code 1 if one does not, 2 if something cannot
    be run as asked.
    """
    with one_sentence():
        paths = {form: path for form, path in (("json", json), ("junit", junit), ("html", html)) if path}
        report.prepare(paths)
        sizes = tuple(map(parse_shape, shapes or ()))
        given = (several(dtypes, DTYPES, "dtype"), several(modes, MODES, "mode"), seed)
        if layer is None:
            _refuse_layers_options(block, dialect, arguments)
            names = several(runtimes, NAMES, "runtime")
            found = _ours(Plan(chosen(blocks or ["all"], sizes), names, *given, draws or 1), require)
        else:
            # The first draw has the layer's own weights, whose biases may be 0: others move every number.
            found = _theirs(layer, block, dialect, arguments, sizes, *given, draws or 3)
        report.write(found, paths)
    _show(found)
    for path in paths.values():
        say(f"written: {path}")
    if found.failures:
        raise typer.Exit(FAILED)
    if not any(cell.shares for cell in found.cells):
        refuse(f"{texts.headline(found)}.", UNREADABLE)


def _ours(plan: Plan, require: str) -> Report:
    """Run our layers. **Raises** `ImportError` if a runtime is missing that must not be."""
    for name in several(require, RUNTIMES, "runtime"):
        runtime(name)
    cells = list(with_progress(run(plan), len(plan), "comparing"))
    return reported(cells, plan.trials, plan.seed, plan.missing)


def _theirs(
    layer: str,
    block: str | None,
    dialect: str | None,
    arguments: str,
    shapes: tuple[tuple[int, ...], ...],
    dtypes: list[str],
    modes: list[str],
    seed: int,
    draws: int,
) -> Report:
    """Run somebody's layer, in training only if its block differs then."""
    shape = shapes[0] if shapes else None
    check = partial(
        check_foreign, layer, block, dialect=dialect, arguments=arguments, shape=shape, seed=seed, draws=draws
    )
    known = modes_of(parse(block)) if block else MODES
    chosen_modes = [mode for mode in modes if mode in known] or modes
    cells = [
        cell
        for dtype in with_progress(dtypes, len(dtypes), "comparing")
        for cell in check(dtype=dtype, modes=chosen_modes)
    ]
    return reported(cells, [Trial(parse(cell.text), cell.shapes) for cell in cells], seed, {})


def _refuse_layers_options(block: str | None, dialect: str | None, arguments: str) -> None:
    given = {"--block": block, "--dialect": dialect, "--args": arguments}
    if wrong := [name for name, value in given.items() if value]:
        way = "name one, as my_package.layers:MySE, or give --blocks"
        raise SpecError(f"{wrong[0]} is about somebody's layer: {way}.")


def several(text: str, known: object, kind: str) -> list[str]:
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
    for reason in dict.fromkeys(cell.message for cell in found.cells if cell.status == LEFT_OUT):
        say(f"–: {reason}")
    for name, reason in found.missing.items():
        say(f"missing: {name}. {reason}")
    for cell in found.failures[:MOST]:
        _explain(cell)
    if len(found.failures) > MOST:
        say(f"and {counted(len(found.failures) - MOST, 'cell')} more")
    if any(cell.shares for cell in found.cells):
        say(f"{texts.headline(found)}. {texts.confidence(found)}")


def _badness(cell: Cell) -> tuple[bool, float]:
    return cell.status != LEFT_OUT, cell.share


def _explain(cell: Cell) -> None:
    """Say what is wrong with a cell; what is to be said of somebody's layer, its message says."""
    say(f"{cell.layer or cell.text} in {cell.runtime}, {cell.dtype}, {cell.mode}:")
    tensor = None if cell.layer else texts.worst(cell)
    for line in (*cell.message.splitlines(), texts.difference(tensor) if tensor else ""):
        if line:
            say(f"  {line}")
    if cell.where and not cell.layer:
        say(f"  {texts.where(cell)}")
    say(f"  again: {cell.command}")
