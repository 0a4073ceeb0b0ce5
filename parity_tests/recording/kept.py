"""What is kept of a recording: the contents of `meta.json` and `io.npz`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from runtimes import recipe

from recording.case import Attempt, Case, Meta
from recording.findings import difference, exactly_zero
from recording.running import Array, Run


def described(case: Case, best: Attempt) -> Meta:
    """Return the contents of `meta.json`, in the order in which people read them."""
    meta, modes = best.meta, best.meta["modes"]
    double = {mode: best.runs[mode, "f64"] for mode in modes}
    found: Meta = {"case": case.name, "layout": "NCHW", **case.subject.origin, **case.about}
    found |= {"class": case.subject.name, "args": case.subject.named_arguments, "torch": torch.__version__}
    found |= {key: meta[key] for key in ("seed", "modes", "inputs", "outputs")}
    without = [key for key, array in double["eval"].arrays.items() if array is None]
    zero = {mode: _names(exactly_zero(run)) for mode, run in double.items() if exactly_zero(run)}
    # These two are there where they say something.
    found |= {"parameters_without_gradient": _names(without)} if without else {}
    found |= {"gradient_exactly_zero": zero} if zero else {}
    found["dead_rows"] = best.dead
    found["float32_error"] = {mode: _errors(best.runs[mode, "f32"], run) for mode, run in double.items()}
    return found | {"state": meta["state"]}


def _names(keys: list[str]) -> list[str]:
    return [key.removeprefix("grad:") for key in keys]


def _errors(single: Run, double: Run) -> dict[str, float]:
    """Return how far PyTorch's own float32 is from its float64, by kind of array."""
    worst: dict[str, float] = {}
    for key, wanted in _arrays(double):
        kind = "stat" if key.startswith("stat:") else key
        kind = "grad:parameters" if key in double.weight_gradients else kind
        found = single.arrays[key]
        assert found is not None
        worst[kind] = max(worst.get(kind, 0.0), difference(found, wanted))
    return {kind: float(f"{error:.2g}") for kind, error in worst.items()}


def recorded(best: Attempt) -> Iterator[tuple[str, Array]]:
    """Yield the contents of `io.npz`; `recipe.summary` says what is kept of large arrays."""
    for mode in best.meta["modes"]:
        single, double = best.runs[mode, "f32"], best.runs[mode, "f64"]
        for key, array in _arrays(double):
            of_weight = key in double.weight_gradients
            for suffix, part in recipe().summary(array, of_weight).items():
                yield f"f64/{mode}/{key}{suffix}", part
            # In float32 a weight's gradient is mostly rounding.
            if not of_weight:
                for suffix, part in _of_float32(single.arrays[key]):
                    yield f"f32/{mode}/{key}{suffix}", part


def _of_float32(array: Array | None) -> Iterator[tuple[str, Array]]:
    for suffix, part in recipe().summary(array).items():
        # Sums over a large array lose what float32 would show.
        if suffix in ("", "#sample"):
            yield suffix, part.astype(np.float32)


def _arrays(run: Run) -> Iterator[tuple[str, Array]]:
    """Yield what can be compared: no gradient that is 0 but for rounding."""
    zero = exactly_zero(run)
    for key, array in run.arrays.items():
        if array is not None and array.size and key not in zero:
            yield key, array
