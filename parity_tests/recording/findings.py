"""What makes a recording prove less: dead weights, choices that float32 makes otherwise, ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recording import choices
from recording.running import Array, Run

# Relative to the largest number of any weight's gradient:
NOTHING = 1e-7  # a row whose weights do not matter
ZERO = 1e-9  # a gradient that is 0 but for rounding


@dataclass(frozen=True)
class Findings:
    """Phrases for people."""

    dead: list[str]
    flips: list[str]
    ties: list[str]


def findings(runs: Mapping[tuple[str, str], Run], mode: str) -> Findings:
    """Return what is found in a mode."""
    single, double = runs[mode, "f32"].choices, runs[mode, "f64"].choices
    dead = [f"{name}, {rows} of {total} rows" for name, (rows, total) in dead_rows(runs[mode, "f64"]).items()]
    found = dead, list(choices.flips(single, double)), list(choices.ties(double))
    return Findings(*([f"{phrase} ({mode})" for phrase in phrases] for phrases in found))


def dead_rows(run: Run) -> dict[str, tuple[int, int]]:
    """Return how many rows of each weight have no gradient, of how many, for those weights with any."""
    found = {}
    smallest = NOTHING * largest(run.weight_gradients)
    for key, gradient in run.weight_gradients.items():
        rows = np.abs(gradient.reshape(len(gradient) if gradient.ndim else 1, -1)).max(1)
        if count := int((rows <= smallest).sum()):
            found[key.removeprefix("grad:")] = count, len(rows)
    return found


def exactly_zero(run: Run) -> list[str]:
    """Return the keys of weights' gradients that are 0 but for rounding."""
    smallest = ZERO * largest(run.weight_gradients)
    return [key for key, array in run.weight_gradients.items() if np.abs(array).max() <= smallest]


def largest(gradients: Mapping[str, Array]) -> float:
    """Return the largest number of all, and never 0."""
    return max((float(np.abs(array).max()) for array in gradients.values()), default=0.0) or 1.0


def difference(found: Array, wanted: Array) -> float:
    """Return the largest error, relative to the largest number wanted."""
    scale = float(np.abs(wanted).max())
    return float(np.abs(found.astype(np.float64) - wanted).max()) / scale if scale else 0.0
