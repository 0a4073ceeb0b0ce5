"""What is run, with which seed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from runtimes import recipe
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from recording.fills import state_entries
from recording.findings import Findings, dead_rows, findings
from recording.running import Array, Given, Run, Shapes, run
from recording.subject import RecordError, Subject

DTYPES = {"f32": torch.float32, "f64": torch.float64}
Meta = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is to be recorded; `about` is written down beside it. Without `train`, wherever there is a batch norm."""

    name: str
    subject: Subject
    shapes: Sequence[Sequence[int]]
    train: bool | None = None
    seed: int | None = None
    tries: int = 10
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """A case with one seed."""

    meta: Meta
    runs: dict[tuple[str, str], Run]
    found: list[Findings]

    @property
    def rank(self) -> tuple[int, int]:
        """How little it proves: flips make float32 useless, dead rows hide their weights."""
        flips = sum(len(each.flips) for each in self.found)
        return flips, self.dead

    @property
    def dead(self) -> int:
        """How many rows of weights do not matter."""
        # Not in training: a bias before a batch norm has no gradient there, whatever the seed.
        counts = dead_rows(self.runs["eval", "f64"]).values()
        return sum(count for count, _ in counts)


def record(case: Case) -> Attempt:
    """Run a module with the first seed that proves everything, or the best of them. **Raises** `RecordError`."""
    best = None
    for seed in _seeds(case):
        attempt = _attempt(case, seed)
        best = min(best or attempt, attempt, key=lambda each: each.rank)
        if best.rank == (0, 0):
            break
    if best is None:
        raise RecordError(f"{case.tries} tries record nothing: give at least 1.")
    return best


def _seeds(case: Case) -> range:
    if case.seed is not None:
        return range(case.seed, case.seed + 1)
    first = zlib.crc32(case.name.encode()) % 1_000_000
    return range(first, first + case.tries)


def _attempt(case: Case, seed: int) -> Attempt:
    module = case.subject.build()
    modes = _modes(case, module)
    inputs = [{"shape": list(shape), "fill": {"kind": "offset_normal"}} for shape in case.shapes]
    meta: Meta = {"seed": seed, "modes": modes, "inputs": inputs, "state": state_entries(module)}
    given = _given(meta)
    runs = {}
    for mode, (name, dtype) in product(modes, DTYPES.items()):
        runs[mode, name] = run(case.subject, given, dtype, mode == "train")
    _refuse_random(case.subject, runs, given, modes[-1])
    return Attempt(meta, runs, [findings(runs, mode) for mode in modes])


def _modes(case: Case, module: nn.Module) -> list[str]:
    normed = any(isinstance(part, _BatchNorm) for part in module.modules())
    train = normed if case.train is None else case.train
    return ["eval", "train"] if train else ["eval"]


def _given(meta: Meta) -> Given:
    """Make the tensors that are described, and add their hashes to the description."""
    make = recipe()

    def cotangents(shapes: Shapes) -> list[Array]:
        # Only a run tells what comes out.
        meta["outputs"] = [{"shape": shape} for shape in shapes]
        return list(make.cotangents(meta))

    given = Given(make.state(meta), make.inputs(meta), cotangents)
    arrays = [*given.state.values(), *given.inputs]
    for entry, array in zip([*meta["state"], *meta["inputs"]], arrays, strict=True):
        entry["sha256"] = make.sha(array)
    return given


def _refuse_random(subject: Subject, runs: Mapping[tuple[str, str], Run], given: Given, mode: str) -> None:
    """Run once more, to see the same numbers: layers for dropout are off, but not a function in a `forward`."""
    again = run(subject, given, torch.float64, mode == "train", draw=1)
    for key, array in runs[mode, "f64"].arrays.items():
        if array is not None and not np.array_equal(array, again.arrays[key]):
            raise RecordError(f"{subject} is random: {key} differs from run to run ({mode}); set its dropout to 0.")
