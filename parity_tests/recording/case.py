"""A recording: what is run with which seed, and what is kept of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import torch
from runtimes import recipe
from torch.nn.modules.batchnorm import _BatchNorm

from recording.fills import state_entries
from recording.findings import Findings, dead_rows, difference, exactly_zero, findings
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
        return sum(len(each.flips) for each in self.found), self.dead

    @property
    def dead(self) -> int:
        """How many rows of weights do not matter; not in training, where more may be so by definition."""
        return sum(count for count, _ in dead_rows(self.runs["eval", "f64"]).values())


def record(case: Case) -> tuple[Meta, dict[str, Array], list[Findings]]:
    """Run a module with the first seed that proves everything, or the best of them. **Raises** `RecordError`."""
    best = None
    for seed in _seeds(case):
        attempt = _attempt(case, seed)
        best = min(best or attempt, attempt, key=lambda each: each.rank)
        if best.rank == (0, 0):
            break
    if best is None:
        raise RecordError(f"{case.tries} tries record nothing: give at least 1.")
    return _described(case, best), dict(_arrays(best)), best.found


def _seeds(case: Case) -> range:
    if case.seed is not None:
        return range(case.seed, case.seed + 1)
    first = zlib.crc32(case.name.encode()) % 1_000_000
    return range(first, first + case.tries)


def _attempt(case: Case, seed: int) -> Attempt:
    module, make = case.subject.build(), recipe()
    normed = any(isinstance(part, _BatchNorm) for part in module.modules())
    modes = ["eval", "train"] if case.train or (case.train is None and normed) else ["eval"]
    inputs = [{"shape": list(shape), "fill": {"kind": "offset_normal"}} for shape in case.shapes]
    meta: Meta = {"seed": seed, "modes": modes, "inputs": inputs, "state": state_entries(module)}

    def cotangents(shapes: Shapes) -> list[Array]:
        meta["outputs"] = [{"shape": shape} for shape in shapes]
        return list(make.cotangents(meta))

    given = Given(make.state(meta), make.inputs(meta), cotangents)
    for entry, array in zip([*meta["state"], *inputs], [*given.state.values(), *given.inputs], strict=True):
        entry["sha256"] = make.sha(array)
    runs = {}
    for mode, (name, dtype) in product(modes, DTYPES.items()):
        runs[mode, name] = run(case.subject, given, dtype, mode == "train")
    _refuse_random(case.subject, runs, given, modes[-1])
    return Attempt(meta, runs, [findings(runs, mode) for mode in modes])


def _refuse_random(subject: Subject, runs: Mapping[tuple[str, str], Run], given: Given, mode: str) -> None:
    """Run once more, to see the same numbers."""
    again = run(subject, given, torch.float64, mode == "train", draw=1)
    for key, array in runs[mode, "f64"].arrays.items():
        if array is not None and not np.array_equal(array, again.arrays[key]):
            raise RecordError(f"{subject} is random: {key} differs from run to run ({mode}); set its dropout to 0.")


def _described(case: Case, best: Attempt) -> Meta:
    meta, modes = best.meta, best.meta["modes"]
    described: Meta = {"case": case.name, "layout": "NCHW", **case.subject.origin, **case.about}
    described |= {"class": case.subject.name, "args": case.subject.named_arguments, "torch": torch.__version__}
    described |= {key: meta[key] for key in ("seed", "modes", "inputs", "outputs")}
    first = best.runs[modes[0], "f64"].arrays
    if without := [key.removeprefix("grad:") for key, array in first.items() if array is None]:
        described["parameters_without_gradient"] = without
    zero = {mode: exactly_zero(best.runs[mode, "f64"]) for mode in modes}
    if any(zero.values()):
        names = {mode: [key.removeprefix("grad:") for key in keys] for mode, keys in zero.items() if keys}
        described["gradient_exactly_zero"] = names
    described["dead_rows"] = best.dead
    described["float32_error"] = {mode: _errors(best.runs[mode, "f32"], best.runs[mode, "f64"]) for mode in modes}
    return described | {"state": meta["state"]}


def _errors(single: Run, double: Run) -> dict[str, float]:
    """Return how far PyTorch's own float32 is from its float64, by kind of array."""
    worst: dict[str, float] = {}
    for key, wanted in _kept(double):
        kind = "stat" if key.startswith("stat:") else key
        kind = "grad:parameters" if key in double.weight_gradients else kind
        found = single.arrays[key]
        assert found is not None
        worst[kind] = max(worst.get(kind, 0.0), difference(found, wanted))
    return {kind: float(f"{error:.2g}") for kind, error in worst.items()}


def _arrays(best: Attempt) -> Iterator[tuple[str, Array]]:
    """Yield what io.npz holds: of float32, no gradients of weights, and of large arrays a sample."""
    summary = recipe().summary
    for mode in best.meta["modes"]:
        single, double = best.runs[mode, "f32"], best.runs[mode, "f64"]
        for key, array in _kept(double):
            of_weight = key in double.weight_gradients
            for suffix, part in summary(array, of_weight).items():
                yield f"f64/{mode}/{key}{suffix}", part
            for suffix, part in () if of_weight else summary(single.arrays[key]).items():
                if suffix in ("", "#sample"):
                    yield f"f32/{mode}/{key}{suffix}", part.astype(np.float32)


def _kept(run: Run) -> Iterator[tuple[str, Array]]:
    zero = exactly_zero(run)
    for key, array in run.arrays.items():
        if array is not None and array.size and key not in zero:
            yield key, array
