"""The command line of the recorder."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import torch

from recording.case import Case, record
from recording.files import write
from recording.kept import described, recorded
from recording.subject import RecordError, subject

ABOUT = ("repo", "commit", "harness", "note")


def main(arguments: Sequence[str] | None = None) -> None:
    """Record a module. Exit code 2, and a sentence, if it cannot be recorded."""
    torch.set_num_threads(1)  # sums in one order, so that a second run gives the same bytes
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        _record(given)
    except RecordError as error:
        parser.exit(2, f"record.py: {error}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="record.py", description="Run a PyTorch module and write a case folder.")
    parser.add_argument("module", help="package.module:Class or path/file.py:Class")
    parser.add_argument("--args", default="", help="literals that the class is made with: '64, reduction=16'")
    parser.add_argument("--input", type=_shape, action="append", required=True, help="as 2,64,7,9; again for a second")
    parser.add_argument("--out", type=Path, required=True, help="the case folder; its name is the case's")
    parser.add_argument("--train", action=argparse.BooleanOptionalAction, help="by default where there is a batch norm")
    parser.add_argument("--seed", type=int, help="by default the first of some that leaves nothing dead and no flips")
    parser.add_argument("--tries", type=int, default=10, help="how many seeds to try")
    parser.add_argument("--replace", action="store_true", help="write over another recording")
    for name in ABOUT:
        parser.add_argument(f"--{name}", help=f'written to meta.json as "{name}"')
    return parser


def _record(given: argparse.Namespace) -> None:
    about = {name: getattr(given, name) for name in ABOUT if getattr(given, name) is not None}
    chosen = subject(given.module, given.args)
    case = Case(given.out.name, chosen, given.input, given.train, given.seed, given.tries, about)
    best = record(case)
    arrays = dict(recorded(best))
    changed = write(given.out, described(case, best), arrays, given.replace)
    modes = " and ".join(best.meta["modes"])
    print(f"{case.name}: {chosen}, {modes}, seed {best.meta['seed']}, {len(arrays)} arrays")
    _say("dead (weights without gradient)", [each.dead for each in best.found])
    _say("flips between float32 and float64", [each.flips for each in best.found])
    _say("ties", [each.ties for each in best.found])
    print("written." if changed else "The same recording was there.")


def _say(title: str, phrases: Iterable[Iterable[str]]) -> None:
    print(f"{title}: {'; '.join(chain(*phrases)) or 'none'}")


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(size) for size in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape: give sizes of at least 1, as 2,64,7,9")
    return shape
