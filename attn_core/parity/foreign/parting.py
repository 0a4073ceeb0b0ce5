"""Up to which step of the definition a layer does the same, as far as its sub-layers show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.trace import OUTPUT, Step
from attn_core.parity.foreign.layer import Call

Numbers = NDArray[Any]

# How far two may be apart and still be the same step: the root of the rounding of each type, of the largest number.
SAME = {"float64": 2.0**-26, "float32": 2.0**-12, "float16": 2.0**-5, "bfloat16": 2.0**-4}


def parting(steps: list[Step], calls: list[Call], layers: Mapping[str, str], dtype: str) -> tuple[str, str]:
    """Return the step at which the two part ways, and a sentence; nothing where it cannot be told.

    `layers` are their layers by the names of our parts. What goes into or comes out of any sub-layer is looked for
    among the steps, so that steps between the parts are found, too, where some sub-layer shows them.
    """
    seen = [array for call in calls for array in (*call.inputs, call.output)]
    last, between = "", list[str]()
    for i, step in enumerate(steps):
        own = [call for call in calls if call.name == layers.get(step.name)]
        comparable = [call for call in own if call.output.size == step.output.size]
        here = [call.output for call in comparable] if comparable else _telling(seen, step, dtype)
        followers = _followers(steps, i) if comparable else []
        same = next((each for each in (step, *followers) if any(_same(a, each.output, dtype) for a in here)), None)
        if same is not None:
            last, between = same.name, []
        elif step.name == last:
            continue
        elif step.name == OUTPUT:
            return _after(last, between) if last else ("", "")
        elif comparable:
            return _at(step, comparable, last, between, dtype)
        else:
            between.append(step.name)
    return "", ""


def _telling(seen: list[Numbers], step: Step, dtype: str) -> list[Numbers]:
    """Leave out what is also the step's input, as where a relu has nothing to do."""
    return [array for array in seen if not any(_same(array, given, dtype) for given in step.inputs)]


def _followers(steps: list[Step], i: int) -> list[Step]:
    """Return the primitives that are done at once to what a step computes: a layer may have its activation inside."""
    found: list[Step] = []
    for step in steps[i + 1 :]:
        if step.kind != "primitive" or len(step.inputs) != 1 or step.inputs[0] is not [steps[i], *found][-1].output:
            break
        found.append(step)
    return found


def _at(step: Step, calls: list[Call], last: str, between: list[str], dtype: str) -> tuple[str, str]:
    agree = f"They agree up to {last} and" if last else "They"
    given = [array for call in calls for array in call.inputs]
    if step.inputs and any(_same(array, step.inputs[0], dtype) for array in given):
        return step.name, f"{agree} part ways at {step.name}: what goes into it is the same, what comes out is not."
    if not between:
        return step.name, f"{agree} part ways at {step.name}."
    listed = ", ".join(dict.fromkeys(between))
    return between[0] if len(between) == 1 else step.name, f"{agree} part ways before {step.name}: at {listed}."


def _after(last: str, between: list[str]) -> tuple[str, str]:
    listed = ", ".join(dict.fromkeys(between))
    return (between[0], f"They agree up to {last} and part ways after it: at {listed}.") if between else ("", "")


def _same(a: Numbers, b: Numbers, dtype: str) -> bool:
    if a.size != b.size or _long(a) != _long(b) or not np.isfinite(a).all():
        return False
    return bool(abs(a.reshape(b.shape) - b).max(initial=0) <= SAME[dtype] * abs(b).max(initial=0))


def _long(array: Numbers) -> tuple[int, ...]:
    return tuple(length for length in array.shape if length != 1)
