"""What the second of two layers computes, and how far rounding may take the first from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.interpreters.rounding.arithmetic import DTYPES
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.pairing import Pair
from attn_core.parity.foreign.settings import Settings

Numbers = NDArray[Any]
Bounds = dict[str, Numbers]

# Few runs show the size of the errors that rounding makes, and not the largest there may be: hence the factor.
TIMES, RUNS = 16, 4
MEASURED = (
    "There is no definition to derive a bound from: the bound was measured, "
    f"{TIMES} times how far the second moves when every number that goes in is rounded another way"
)


def expected(pair: Pair, draw: Draw, settings: Settings, train: bool) -> Bounded:
    """Return what the second computes, within bounds of both."""
    wanted = shown_by_both(pair, pair.other.run(draw, settings.dtype, train))
    if pair.block is None:
        bounds = _measured(pair, draw, wanted, settings, train)
    else:
        bounds = _derived(pair, draw, settings, train)
    return Bounded(wanted, {name: bounds[name] for name in wanted.arrays()})


def shown_by_both(pair: Pair, outcome: Outcome) -> Outcome:
    """Leave out running variances where PyTorch's move to another variance than those of Keras and Flax."""
    if pair.one.unbiased == pair.other.unbiased:
        return outcome
    kept = {name: array for name, array in outcome.statistics.items() if not name.endswith("running_var")}
    return replace(outcome, statistics=kept)


def _derived(pair: Pair, draw: Draw, settings: Settings, train: bool) -> Bounds:
    """Return twice the block's bounds: each of the two may be as far from the definition."""
    assert pair.block is not None
    found = bounded(pair.block, draw.weights, draw.image, draw.cotangent, settings.dtype, train)
    return {name: 2 * bound for name, bound in found.bounds.items()}


def _measured(pair: Pair, draw: Draw, wanted: Outcome, settings: Settings, train: bool) -> Bounds:
    unit = DTYPES[settings.dtype].unit
    rng = np.random.default_rng([settings.seed, 3])
    moved: dict[str, float] = {}
    for _ in range(RUNS):
        other = pair.other.run(_rounded(draw, unit, rng), settings.dtype, train).arrays()
        for name, array in wanted.arrays().items():
            distance = abs(array - other[name]).max(initial=0)
            moved[name] = max(moved.get(name, 0.0), distance)
    bounds = {}
    for name, array in wanted.arrays().items():
        # What does not move at all is rounded nevertheless, where it is stored.
        stored = unit * abs(array).max(initial=0)
        bound = TIMES * (moved[name] + stored)
        bounds[name] = np.full(array.shape, bound)
    return bounds


def _rounded(draw: Draw, unit: float, rng: np.random.Generator) -> Draw:
    """Return a draw in which every number is about its neighbour in the dtype, up or down."""

    def rounded(array: Numbers) -> Numbers:
        steps = rng.choice((-2, 2), array.shape)
        return np.asarray(array * (1 + unit * steps))

    weights = {name: rounded(array) for name, array in draw.weights.items()}
    return Draw(weights, (rounded(draw.image),), rounded(draw.cotangent))
