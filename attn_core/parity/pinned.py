"""The definition, compared with what it was when it was released.

All runtimes run the same `forward`, so they cannot tell that a line of it has changed. `pins.json` holds a fingerprint
of everything that each standard configuration computes, step by step. When a definition is meant to change, write the
file anew, ``python -m attn_core.parity.pinned``, and say so in the changelog.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.interpreters.trace import counted, trace
from attn_core.parity.draws import Draw, draw
from attn_core.parity.result import Tensor
from attn_core.parity.subjects import Trial, chosen

DEFINITION = "definition"  # its name among the runtimes
FILE = Path(__file__).with_name("pins.json")
SEED = 0
DIGITS = 1e-12  # of a step, relative to what its fingerprint adds up

Pins = Mapping[str, Mapping[str, float]]


@cache
def _pins() -> Mapping[str, Pins]:
    found: Mapping[str, Pins] = json.loads(FILE.read_text())
    return found


def key(trial: Trial) -> str:
    """Return the name under which a trial is pinned."""
    return f"{trial.block!r} on {', '.join(map(str, trial.shapes))}"


def is_pinned(trial: Trial) -> bool:
    """Whether there are pins for this configuration and these shapes."""
    return key(trial) in _pins()


def compared_with_pins(trial: Trial, train: bool) -> tuple[tuple[Tensor, ...], str]:
    """Compare what the definition computes now, and say at which step it first differs."""
    pins, drawn = _pins()[key(trial)], draw(trial.block, trial.shapes, SEED)
    now = _outcome(trial, drawn, train)
    mode, arrays = "train" if train else "eval", now.values.arrays()
    tensors = [_tensor(name, pins[mode].get(name), arrays.get(name), now) for name in arrays.keys() | pins[mode].keys()]
    changed = any(not tensor.passed for tensor in tensors)
    return tuple(sorted(tensors, key=lambda tensor: tensor.name)), _first(trial, drawn, pins) if changed else ""


def _outcome(trial: Trial, drawn: Draw, train: bool) -> Bounded:
    return bounded(trial.block, drawn.weights, drawn.given, drawn.cotangent, "float64", train)


def _tensor(name: str, pin: float | None, array: NDArray[Any] | None, now: Bounded) -> Tensor:
    if pin is None or array is None:
        remark = "new: no number is pinned for it" if pin is None else "gone: it was computed once"
        return Tensor(name, 0, float("inf"), float("inf"), remark=remark)
    found, bound = fingerprint(array), float((np.abs(_pattern(array.shape)) * now.bounds[name]).sum())
    error = abs(found - pin)
    share = error / bound if error else 0.0
    return Tensor(name, array.size, share, error, (), found, pin, bound, "a fingerprint of the array")


def _first(trial: Trial, drawn: Draw, pins: Pins) -> str:
    for name, now, scale in _steps(trial, drawn):
        if name not in pins["steps"] or not abs(now - pins["steps"][name]) <= DIGITS * scale:
            return name
    return ""


def _steps(trial: Trial, drawn: Draw) -> list[tuple[str, float, float]]:
    """Return each step's name, fingerprint, and what of its size the fingerprint is made."""
    return [
        (f"{step.name}, call {i + 1}" if i else step.name, fingerprint(step.output), _size(step.output))
        for step, i in counted(trace(trial.block, drawn.weights, drawn.given))
    ]


def fingerprint(array: NDArray[Any]) -> float:
    """Return the sum of an array's numbers, each times a number of its own."""
    return float((array * _pattern(array.shape)).sum())


def _size(array: NDArray[Any]) -> float:
    return float(np.abs(array * _pattern(array.shape)).sum())


def _pattern(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return numbers between 1 and 2, no two alike: multiples of the golden ratio, without their whole part."""
    places = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)
    return 1 + (places * 0.6180339887498949 % 1).reshape(shape)


def pin() -> None:
    """Write the pins of the definition as it is now."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for trial in chosen(["all"]):
        drawn = draw(trial.block, trial.shapes, SEED)
        own = {"steps": {name: now for name, now, _ in _steps(trial, drawn)}}
        for mode in ("eval", "train") if trial.trains else ("eval",):
            arrays = _outcome(trial, drawn, mode == "train").values.arrays()
            own[mode] = {name: fingerprint(array) for name, array in arrays.items()}
        found[key(trial)] = own
    FILE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    pin()
