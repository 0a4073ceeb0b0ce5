"""Blocks x runtimes x dtypes x modes: each cell compared with the definition under the bounds of its own rounding."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from attn_core.interpreters.rounding import CHANCE, Bounded, bounded
from attn_core.parity.comparing import compared
from attn_core.parity.draws import Draw, draw
from attn_core.parity.parting import parting
from attn_core.parity.pinned import DEFINITION, SEED, compared_with_pins, is_pinned
from attn_core.parity.result import FAILED, LEFT_OUT, Cell, Report
from attn_core.parity.runtimes import BIASED, MissingRuntimeError, refusal, runtime
from attn_core.parity.subjects import Trial
from attn_core.parity.tally import Tally

MODES = ("eval", "train")
COLOURS = re.compile("\x1b\\[[0-9;]*m")  # which some frameworks write into their messages
PACKAGES = ("attn-blocks", "numpy", "torch", "keras", "tensorflow", "tensorflow-cpu", "jax", "jaxlib", "flax")


@dataclass(frozen=True)
class Plan:
    """What is to be run, with draws from the seeds `seed`, `seed` + 1, ..."""

    trials: Sequence[Trial]
    runtimes: Sequence[str]
    dtypes: Sequence[str] = ("float32",)
    modes: Sequence[str] = MODES
    seed: int = 0
    draws: int = 1

    def __len__(self) -> int:
        """Return the number of cells."""
        names = [name for name in self.runtimes if name not in self.missing]
        native, defined = len(set(names) - {DEFINITION}), len(set(names) & {DEFINITION})
        return len(self.trials) * len(self.modes) * (native * len(self.dtypes) + defined)

    @property
    def missing(self) -> dict[str, str]:
        """The runtimes whose framework is not installed, with the reason."""
        return {name: reason for name in self.runtimes if (reason := _absence(name))}


def run(plan: Plan) -> Iterator[Cell]:
    """Yield the cells as they are done; those of runtimes that are missing are not among them.

    **Raises** `ShapeError` if a block cannot take the shapes it is to be run on.
    """
    names = [name for name in plan.runtimes if name not in plan.missing and name != DEFINITION]
    for trial in plan.trials:
        if DEFINITION in plan.runtimes:
            yield from (_definition(trial, mode) for mode in plan.modes)
        for dtype in plan.dtypes:
            for mode in plan.modes if names else ():
                yield from _cells(plan, trial, names, dtype, mode)


def report(cells: Sequence[Cell], trials: Sequence[Trial], seed: int, missing: Mapping[str, str]) -> Report:
    """Put the cells of these trials together, with the circumstances."""
    subjects = {repr(trial.block): trial.subject for trial in trials}
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Report(tuple(cells), tuple(subjects.values()), seed, CHANCE, versions(), machine, now, missing)


def versions() -> dict[str, str]:
    """Return the versions of what is installed of the packages that numbers depend on."""
    return {name: version for name in PACKAGES if (version := _version(name))}


def _cells(plan: Plan, trial: Trial, names: Sequence[str], dtype: str, mode: str) -> Iterator[Cell]:
    train = mode == "train"
    reasons = {name: reason for name in names if (reason := _left_out(trial, train) or refusal(name, dtype))}
    tallies = {name: Tally() for name in names if name not in reasons}
    if tallies:
        for seed in range(plan.seed, plan.seed + plan.draws):
            drawn = draw(trial.block, trial.shapes, seed, dtype)
            wanted = {unbiased: _bounded(trial, drawn, dtype, train, unbiased) for unbiased in {True, not train}}
            for name, tally in tallies.items():
                _once(tally, name, trial, drawn, wanted[name not in BIASED or not train], dtype, train)
    for name in names:
        yield _cell(trial, name, dtype, mode, plan.seed, tallies.get(name, Tally()), reasons.get(name, ""))


def _definition(trial: Trial, mode: str) -> Cell:
    """Compare the definition with its pins, once and for all dtypes."""
    train, tally = mode == "train", Tally()
    reason = _left_out(trial, train)
    if not reason and not is_pinned(trial):
        reason = "no numbers are pinned for this configuration"
    if not reason:
        tensors, tally.where = compared_with_pins(trial, train)
        tally.add(tensors)
    return _cell(trial, DEFINITION, "float64", mode, SEED, tally, reason)


def _cell(trial: Trial, name: str, dtype: str, mode: str, seed: int, tally: Tally, reason: str) -> Cell:
    block = trial.block
    about = (type(block).__name__, repr(block), name, dtype, mode, trial.shapes, seed)
    status = LEFT_OUT if reason else tally.status
    found = (tuple(tally.tensors.values()), tuple(tally.shares), reason or tally.error, tally.where, tally.seconds)
    return Cell(*about, status, *found)


def _bounded(trial: Trial, drawn: Draw, dtype: str, train: bool, unbiased: bool) -> Bounded:
    return bounded(trial.block, drawn.weights, drawn.given, drawn.cotangent, dtype, train, unbiased=unbiased)


def _once(tally: Tally, name: str, trial: Trial, drawn: Draw, wanted: Bounded, dtype: str, train: bool) -> None:
    start = time.perf_counter()
    try:
        found = runtime(name).run(trial.block, drawn.weights, drawn.given, drawn.cotangent, dtype, train)
    except Exception as error:  # whatever a framework raises belongs into its cell; the others go on
        tally.error = f"{type(error).__name__}: {COLOURS.sub('', str(error))}"
    else:
        tally.add(compared(found, wanted))
        if tally.status == FAILED and not tally.where:
            with suppress(Exception):  # a hint: without it, the numbers still tell
                tally.where = parting(runtime(name), trial.block, drawn, dtype)
    tally.seconds += time.perf_counter() - start


def _left_out(trial: Trial, train: bool) -> str:
    """Say why a cell is not run, if it is not."""
    if train and not trial.trains:
        return "training changes nothing here: no statistics run along"
    return ""


def _absence(name: str) -> str:
    try:
        if name != DEFINITION:
            runtime(name)
    except MissingRuntimeError as error:
        return str(error)
    return ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
