"""The command `attn bench`."""

from __future__ import annotations

import json as text_of_json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from attn_core.cli.console import FAILED, err, one_sentence, out, refuse, say, with_progress
from attn_core.cli.parity import several
from attn_core.interpreters.rounding.arithmetic import DTYPES
from attn_core.parity.bench import page
from attn_core.parity.bench.as_json import as_json, image_bytes
from attn_core.parity.bench.asked import PLAIN, peers, trials
from attn_core.parity.bench.contest import FEWEST, Spread, Timed
from attn_core.parity.bench.machine import circumstances
from attn_core.parity.bench.running import Contest, Plan, run, stand, ways_of
from attn_core.spec import SpecError
from attn_core.spec.calls import parse_shape

# Keras has one backend for the life of a process, so that the backend is a part of the name.
BENCHED = ("torch", "keras-tensorflow", "keras-jax", "keras-torch", "linen", "nnx")


def bench(
    blocks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BLOCK ...]", help="names, or configurations such as 'CBAM(norm=True)'"),
    ] = None,
    against: Annotated[
        str, typer.Option(help="peers, with commas: plain, timm, torchvision, my.layers:MySE({channels}, 16)")
    ] = PLAIN,
    shapes: Annotated[
        list[str] | None,
        typer.Option("--shape", help="'8,256,56,56': batch, channels, pixels; again for another image"),
    ] = None,
    dtypes: Annotated[str, typer.Option("--dtype", help=f"of {', '.join(DTYPES)}")] = "float32",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    compiled: Annotated[bool, typer.Option("--compile", help="also compiled; JAX and Keras always are")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="also forward and backward, in training")] = False,
    threads: Annotated[int, typer.Option(min=1, help="of the framework; one gives the steadiest ratios")] = 1,
    runtime: Annotated[str, typer.Option(help=f"of {', '.join(BENCHED)}")] = BENCHED[0],
    rounds: Annotated[int, typer.Option(min=FEWEST, help="in which all run in turn")] = 21,
    check: Annotated[
        bool | None, typer.Option("--check/--no-check", help="our output against the definition; always on a GPU")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON in place of tables")] = False,
    to: Annotated[Path | None, typer.Option("--page", help="also write this page, as docs/performance.md")] = None,
) -> None:
    """Time our layers beside other people's, and beside a copy of the image.

    All run in turn, round by round. The ratio is the median over the rounds
    of our time divided by the peer's: 1.05 means 5 % slower. Half of the
    rounds lie between the quartiles. Memory is told in images. Exit code 1 if
    our output is not what it should be, 2 if something cannot be run as asked.
    """
    with one_sentence():
        _choose(runtime)
        sizes = tuple(map(parse_shape, shapes or ()))
        found = trials(blocks or (), sizes, several(dtypes, DTYPES, "dtype"), backward=backward)
        theirs = peers(against)
        where = stand(runtime.partition("-")[0], device, threads)
        ways = ways_of(where, runtime, compiled=compiled)
        plan = Plan(found, theirs, ways, rounds, device != "cpu" if check is None else check)
        contests = list(with_progress(run(plan, where), len(found), "timing"))
        about = circumstances(device, where.processor, runtime, threads, rounds)
        report = as_json(contests, about)
        if to:
            page.write(to, report, shlex.join(["attn", *sys.argv[1:]]))
    if json:
        print(text_of_json.dumps(report, indent=1))
    else:
        for contest in contests:
            _show(contest)
    _require_right(contests)


def _choose(runtime: str) -> None:
    """Give Keras its backend before it is imported."""
    if runtime not in BENCHED:
        raise SpecError(f"There is no runtime {runtime!r} to time; there are {', '.join(BENCHED)}.")
    package, _, backend = runtime.partition("-")
    if package == "keras":
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets on stderr


def _show(contest: Contest) -> None:
    trial = contest.trial
    size = " and ".join("x".join(map(str, shape)) for shape in trial.shapes)
    say(repr(trial.block))
    say(f"on {size}, {trial.dtype}, {trial.way}")
    table = Table(Column("layer", overflow="fold"))
    for title in ("us", "ours / it", "quartiles", "copies", "kept", "peak"):
        table.add_column(title, justify="right", no_wrap=True)
    image = image_bytes(trial)
    for timed in contest.timed:
        table.add_row(*_row(contest, timed, image))
    out.print(table)
    for note in contest.notes:
        say(f"note: {note}")


def _row(contest: Contest, timed: Timed, image: int) -> tuple[str, ...]:
    """Say of a layer what it takes; ours is compared with it as both are run in the same way."""
    alike = [each for each in contest.ratios if each.name == timed.name and each.way == each.ours == timed.way]
    found = [each.ratio for each in alike]
    ratio = f"{found[0].median:.2f}" if found else ""
    around = f"{found[0].low:.2f} to {found[0].high:.2f}" if found else ""
    usual = timed.way == contest.timed[0].way
    name = timed.name if usual else f"{timed.name}, {timed.way}"
    memory = (_images(timed.memory.kept, image), _images(timed.memory.peak, image))
    return (name, _microseconds(timed.seconds), ratio, around, f"{timed.copies.median:.1f}", *memory)


def _microseconds(seconds: Spread) -> str:
    return f"{1e6 * seconds.median:,.0f}"


def _images(number: int | None, image: int) -> str:
    return "" if number is None else f"{number / image:.2f}"


def _require_right(contests: list[Contest]) -> None:
    """Say how far our outputs are from the definition; end with exit code 1 if one is beyond its bound."""
    proofs = {(repr(each.trial.block), each.trial.dtype): each.proof for each in contests if each.proof}
    for (block, dtype), proof in proofs.items():
        size = "x".join(map(str, proof.shapes[0]))
        say(f"{block}, {dtype}: within {proof.share:.2f} of its bounds on {size}.", err)
    wrong = [f"{block} in {dtype}" for (block, dtype), proof in proofs.items() if not proof.passed]
    if wrong:
        refuse(f"beyond what rounding explains: {', '.join(wrong)}.", FAILED)
