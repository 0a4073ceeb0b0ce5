"""Up to which step of the definition a layer does the same, as far as its sub-layers show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.trace import OUTPUT, Step
from attn_core.parity.foreign.layer import Call

Numbers = NDArray[Any]

# How far two may be apart and still be the same step: the root of the rounding of each type, of the largest number.
SAME = {"float64": 2.0**-26, "float32": 2.0**-12, "float16": 2.0**-5, "bfloat16": 2.0**-4}


class Parting(NamedTuple):
    """The step at which the two part ways, and a sentence; both empty where it cannot be told."""

    step: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Shown:
    """What the calls of a layer's sub-layers show; `layers` are their names by those of our parts."""

    calls: Sequence[Call]
    layers: Mapping[str, str]
    dtype: str

    def calls_of(self, step: Step) -> list[Call]:
        """Return the calls of the sub-layer that is this step, of those with as many outputs."""
        own = [call for call in self.calls if call.name == self.layers.get(step.name)]
        return [call for call in own if call.output.size == step.output.size]

    def telling(self, step: Step) -> list[Numbers]:
        """Return what goes into or comes out of any sub-layer, so that steps between the parts are found, too.

        What is also the step's input tells nothing: a relu may have nothing to do.
        """
        seen = [array for call in self.calls for array in (*call.inputs, call.output)]
        return [array for array in seen if not self.agrees([array], step.inputs)]

    def agrees(self, found: Iterable[Numbers], wanted: Sequence[Numbers]) -> bool:
        """Say whether one of some arrays is one of others."""
        return any(_same(a, b, self.dtype) for a in found for b in wanted)


def parting(steps: Sequence[Step], shown: Shown) -> Parting:
    """Return where the two part ways."""
    agreed = ""  # the last step that both have
    between: list[str] = []  # the steps since then, which no sub-layer shows
    for i, step in enumerate(steps):
        calls = shown.calls_of(step)
        same = _alike(step, _followers(steps, i), calls, shown)
        if same is not None:
            agreed, between = same.name, []
        elif step.name == agreed:  # inside of the layer before it, with which it was found
            continue
        elif step.name == OUTPUT:
            return _after(agreed, between)
        elif calls:
            return _at(step, calls, agreed, between, shown)
        else:
            between.append(step.name)
    return Parting()


def _alike(step: Step, followers: Sequence[Step], calls: Sequence[Call], shown: Shown) -> Step | None:
    """Return the step, or one of its followers, that the layer has, too."""
    if not calls:
        return step if shown.agrees(shown.telling(step), [step.output]) else None
    outputs = [call.output for call in calls]
    return next((each for each in (step, *followers) if shown.agrees(outputs, [each.output])), None)


def _followers(steps: Sequence[Step], i: int) -> list[Step]:
    """Return the primitives that are done at once to what a step computes: a layer may have its activation inside."""
    found: list[Step] = []
    last = steps[i]
    for step in steps[i + 1 :]:
        follows = len(step.inputs) == 1 and step.inputs[0] is last.output
        if step.kind != "primitive" or not follows:
            break
        found.append(step)
        last = step
    return found


def _at(step: Step, calls: Sequence[Call], agreed: str, between: Sequence[str], shown: Shown) -> Parting:
    they = f"They agree up to {agreed} and" if agreed else "They"
    given = [array for call in calls for array in call.inputs]
    if shown.agrees(given, step.inputs[:1]):
        reason = "what goes into it is the same, what comes out is not"
        return Parting(step.name, f"{they} part ways at {step.name}: {reason}.")
    if not between:
        return Parting(step.name, f"{they} part ways at {step.name}.")
    where = between[0] if len(between) == 1 else step.name
    return Parting(where, f"{they} part ways before {step.name}: at {_listed(between)}.")


def _after(agreed: str, between: Sequence[str]) -> Parting:
    if not agreed or not between:
        return Parting()
    return Parting(between[0], f"They agree up to {agreed} and part ways after it: at {_listed(between)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _same(a: Numbers, b: Numbers, dtype: str) -> bool:
    comparable = a.size == b.size and _long(a) == _long(b)
    if not comparable or not np.isfinite(a).all():
        return False
    distance = abs(a.reshape(b.shape) - b).max(initial=0)
    largest = abs(b).max(initial=0)
    return bool(distance <= SAME[dtype] * largest)


def _long(array: Numbers) -> tuple[int, ...]:
    """Return the shape without lengths of 1: a gate may be a vector or an image of one pixel."""
    return tuple(length for length in array.shape if length != 1)
