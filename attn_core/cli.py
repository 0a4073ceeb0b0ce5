"""The command `attn`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from attn_core import parity
from attn_core.cli_convert import convert
from attn_core.cost import cost
from attn_core.formula import formula
from attn_core.models import CONSTRUCTORS
from attn_core.registry import KNOWN, NAMED, example, parse
from attn_core.spec import SpecError

if TYPE_CHECKING:
    from attn_core import port as porting
    from attn_core import tf1

T = TypeVar("T")

FAILED, UNREADABLE = 1, 2

main = typer.Typer(
    help="Vision attention blocks that mean the same thing in every framework.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, markup=False, emoji=False)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)

Target = StrEnum("Target", list(parity.RUNTIMES))  # type: ignore[misc]  # made of a table, as it should be


@main.command("list")
def list_blocks() -> None:
    """List the blocks and networks."""
    table = Table("block", "fields", "source")
    for name, block in KNOWN.items():
        table.add_row(name, ", ".join(field.name for field in dataclasses.fields(block)), block.source)
    out.print(table)
    _say(f"Networks of well-known configuration: {', '.join(CONSTRUCTORS)}.")


@main.command()
def show(
    block: Annotated[str, typer.Argument(help="'SqueezeExcitation(64, hidden=4)', or a name alone for an example")],
    shapes: Annotated[
        list[str] | None,
        typer.Option("--input", help="'8,64,56,56' for the cost: batch, channels, pixels; again for a second input"),
    ] = None,
) -> None:
    """Show a block: formula, fields, weights, and what it costs on an input."""
    with _one_sentence():
        found = example(block) if block in NAMED else parse(block)
        arrays, text = found.arrays(), formula(found)
        inputs = tuple(map(_shape, shapes)) if shapes else found.example()
        costs = cost(found, *inputs)
    fields, weights = Table("field", "value"), Table("weights", "shape", "start")
    for name, value in found.config().items():
        fields.add_row(name, "without effect" if name in found.overruled() else repr(value))
    for name, array in arrays.items():
        start = str(array.law) if array.trainable else f"{array.law} (running)"
        weights.add_row(name, str(array.shape), start)
    for line in (repr(found), found.source, "", *text.splitlines(), ""):
        _say(line)
    out.print(*([fields] if fields.row_count else []), *([weights] if arrays else []))
    _say(f"{costs.parameters:,} parameters")
    given = " and ".join("x".join(map(str, shape)) for shape in inputs)
    _say(f"on {given}: {costs.multiply_adds:,} multiply-adds, {4 * costs.numbers_moved:,} bytes moved in float32")


@main.command()
def port(
    checkpoint: Annotated[Path, typer.Argument(help="checkpoint prefix, V1 file, SavedModel folder or frozen graph")],
    to: Annotated[Target, typer.Option(help="framework to check the blocks in")],
    output: Annotated[Path, typer.Option("--out", help="folder for the result; an earlier result is replaced")],
    io: Annotated[
        Path | None, typer.Option(help="recorded activations, .npz with se<i>_in, se<i>_gate, se<i>_out")
    ] = None,
    averages: Annotated[bool, typer.Option(help="take moving averages of the weights where there are any")] = True,
) -> None:
    """Port the squeeze-and-excitation blocks of a TensorFlow 1 network, and prove it.

    Exit code 0: every check passed and the result is written.
    1: a check failed or no block was found; nothing is written.
    2: something cannot be read or written; nothing is written.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets on stderr
    with _one_sentence():
        from attn_core import port as porting
        from attn_core import recorded, tf1
        from attn_core.folder import require_own

        require_own(output, porting.MANIFEST)
        findings = tf1.find_blocks(checkpoint, averages=averages)
        _tell(findings)
        recordings = recorded.read(io, [found.block.channels for found in findings]) if io and findings else None
        checks = porting.check(findings, to.value, recordings)
        ported = list(_with_progress(checks, len(findings), f"running in {to.value}"))
        _tell_errors(ported, to.value, io)
        _require_passed(ported)
        porting.write(output, str(checkpoint), to.value, findings, ported)
    _say(f"{_count(len(ported))} written to {output}, with {porting.MANIFEST}; all errors within {porting.BOUND:g}.")
    package = parity.RUNTIMES[to.value][0].removesuffix(".runtime")
    _say(f"Load one: {package}.load({str(output / ported[0].file)!r})")


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
    with _one_sentence():
        try:
            from attn_torch.bench import SHAPES, compare
        except ModuleNotFoundError as error:
            raise ImportError(f"{error}: pip install 'attn-blocks[torch]'") from None
    table = Table("image", "mode", title=f"SqueezeExcitation, median times, {threads} thread{'s' * (threads > 1)}")
    for title in ("ours us", "plain us", "ratio", "quartiles"):
        table.add_column(title, justify="right")
    for row in _with_progress(compare(rounds, threads), 2 * len(SHAPES), "timing"):
        times = (f"{1e6 * row.ours:,.0f}", f"{1e6 * row.plain:,.0f}", f"{row.ratio:.3f}")
        mode = row.mode.removeprefix("forward ")
        table.add_row("x".join(map(str, row.shape)), mode, *times, " to ".join(f"{q:.3f}" for q in row.quartiles))
    out.print(table)


main.command()(convert)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Turn an error that is the input's into one sentence and exit code 2."""
    try:
        yield
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}." if error.filename else str(error), UNREADABLE)
    except (ValueError, OverflowError, ImportError) as error:
        _refuse(str(error), UNREADABLE)


def _refuse(sentence: str, code: int) -> NoReturn:
    _say(f"attn: {sentence}".replace("\n", " "), err, "red")
    raise typer.Exit(code)


def _say(text: str, console: Console = out, style: str | None = None) -> None:
    """Print a text whole; what is in no font, such as a terminal's commands in the name of a variable, is spelt out."""
    console.print(_spelt(text), style=style, soft_wrap=True)


def _spelt(text: str) -> str:
    seen = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return seen.encode(out.encoding, "backslashreplace").decode(out.encoding)


def _with_progress(steps: Iterable[T], total: int, title: str) -> Iterator[T]:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        yield from progress.track(steps, total=total, description=title)


def _tell(findings: tf1.Findings) -> None:
    _say(f"Read: {findings.source}: {_count(len(findings))} found.")
    for note in findings.notes:
        _say(f"note: {note}")
    for sentence in findings.undecided:
        _say(f"undecided, not ported: {sentence}", style="yellow")


def _tell_errors(ported: list[porting.Ported], target: str, io: Path | None) -> None:
    """Print one line for each block and what its numbers mean."""
    from attn_core.port import BOUND

    table = Table(Column("block", overflow="fold"), Column("layers", overflow="fold"))
    for title in ("channels", "hidden", "reference", *(["recorded"] if io else [])):
        table.add_column(title, justify="right", no_wrap=True)
    for each in ported:
        sizes = (str(each.found.block.channels), str(each.found.block.width))
        errors = [_largest(errors, BOUND) for errors in (each.random, *([each.recorded] if io else []))]
        texts = (_spelt(each.found.name), _spelt(", ".join(each.layers)))
        table.add_row(*texts, *sizes, *errors, style=None if each.passed else "red")
    if ported:
        out.print(table)
        _say(f"reference: largest error in {target} against the float64 reference, on a random image.")
        _say(f"recorded: largest error in {target} against {io}." if io else "No recorded activations: see --io.")
        _say(f"Errors are absolute, or relative to an array's largest value if above 1; bound {BOUND:g} (!: beyond).")
    for each in ported:
        for warning in each.warnings:
            _say(f"note: {each.found.name}: {warning}")


def _largest(errors: dict[str, float], bound: float) -> str:
    largest = max(errors.values())
    return f"{largest:.1e}" if largest <= bound else f"{largest:.1e} !"


def _require_passed(ported: list[porting.Ported]) -> None:
    failed = [each for each in ported if not each.passed]
    if not ported:
        _refuse("no squeeze-and-excitation block was found; nothing was written.", FAILED)
    if failed:
        names = ", ".join(each.found.name for each in failed)
        hint = " Were the activations recorded without moving averages? Try --no-averages."
        used = any(each.recorded and each.averaged for each in failed)
        sentence = f"{len(failed)} of {_count(len(ported))} beyond the bound, nothing was written: {names}."
        _refuse(sentence + (hint if used else ""), FAILED)


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(size) for size in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise SpecError(f"{text!r} is no shape: give sizes of at least 1, as 8,64,56,56.")
    return shape


def _count(number: int) -> str:
    return f"{number} block{'s' * (number != 1)}"
