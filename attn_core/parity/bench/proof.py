"""Whether what is timed is right: our output on the device against the definition in float64.

The bounds are those of `attn parity`: derived from the block, the weights and the type (`interpreters.rounding`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.rounding import bounded
from attn_core.parity.bench.asked import Trial
from attn_core.parity.draws import Draw, Shapes, draw

# Numbers of an image, as many as make a layer take the form that it has for large ones; their bounds take seconds.
ENOUGH = 2**18

Output = Callable[[Trial, Draw], NDArray[Any]]


@dataclass(frozen=True)
class Proof:
    """The largest error of our output in units of its bound, and the images that it was computed on."""

    share: float
    shapes: Shapes

    @property
    def passed(self) -> bool:
        """Whether every number is within its bound."""
        return self.share <= 1


def proven(output: Output, trial: Trial) -> Proof:
    """Run our layer on one sample, which is no larger than it must be, and compare each number with its bound."""
    small = replace(trial, shapes=smaller(trial.shapes, ENOUGH))
    drawn = draw(small.block, small.shapes, 0, small.dtype)
    wanted = bounded(small.block, drawn.weights, drawn.given, None, small.dtype)
    found = output(small, drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.where(np.isfinite(found), np.abs(found - wanted.values.output), np.inf)
        shares = np.where(difference == 0, 0.0, difference / wanted.bounds["output"])
    return Proof(float(shares.max()), small.shapes)


def smaller(shapes: Shapes, enough: int) -> Shapes:
    """Return the shapes of one sample, whose image has fewer pixels along each axis if it has more than enough numbers.

    Other inputs keep their size: of an image beside the first the pixels are the same.
    """
    first, *others = shapes
    _, channels, *space = first
    ratio = (enough / (channels * math.prod(space))) ** (1 / len(space))
    sizes = tuple(math.ceil(size * min(1.0, ratio)) for size in space)
    rest = [(1, other[1], *(sizes if other[2:] == first[2:] else other[2:])) for other in others]
    return ((1, channels, *sizes), *rest)
