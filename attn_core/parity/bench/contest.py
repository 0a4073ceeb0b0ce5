"""Layers timed in turn, round by round, and compared within each round.

A processor that others use, or that changes its clock, is slow for all layers of a round alike: ratios within a round
are steadier than times. Medians are told with their quartiles, between which half of the rounds lie.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

OURS, COPY = "ours", "copy"
EAGER, COMPILED = "eager", "compiled"
FEWEST = 4  # rounds, of which quartiles can be told
SLICE = 0.01  # seconds that one measurement takes at least, so that the clock's own noise is small
MOST_CALLS = 1000


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Memory:
    """Bytes kept from the forward for the backward pass, weights not counted, and the most that a run takes at once.

    The latter is beside what was there before: image, weights and the output's gradient. None is what cannot be told.
    """

    kept: int | None = None
    peak: int | None = None


@dataclass(frozen=True)
class Entrant:
    """A layer that is ready to run: `seconds(calls)` is what one of so many calls takes."""

    name: str
    way: str
    seconds: Callable[[int], float]
    memory: Memory = Memory()


@dataclass(frozen=True)
class Timed:
    """What was measured of one entrant: its time, its time over that of the copy, both round by round."""

    name: str
    way: str
    seconds: Spread
    copies: Spread
    memory: Memory


@dataclass(frozen=True)
class Ratio:
    """The time of ours, run in one way, over that of another layer, run in its way."""

    ours: str
    name: str
    way: str
    ratio: Spread


def spread(numbers: Iterable[float]) -> Spread:
    """Return median and quartiles of at least two numbers."""
    low, median, high = statistics.quantiles(numbers, n=4)
    return Spread(median, low, high)


def measured(entrants: Sequence[Entrant], rounds: int) -> list[list[float]]:
    """Return the times of each entrant, a number for each round, the order changing from round to round."""
    calls = [_calls(entrant) for entrant in entrants]
    times: list[list[float]] = [[] for _ in entrants]
    for number in range(rounds):
        for i in _order(len(entrants), number):
            times[i].append(entrants[i].seconds(calls[i]))
    return times


def compared(entrants: Sequence[Entrant], times: Sequence[Sequence[float]]) -> tuple[list[Timed], list[Ratio]]:
    """Return what the rounds say of each entrant, and the ratios of ours to the others; one of them is the copy.

    Ours, compiled or not, is compared with every other layer that is run in either way.
    """
    (copy,) = (own for entrant, own in zip(entrants, times, strict=True) if entrant.name == COPY)
    timed = [
        Timed(entrant.name, entrant.way, spread(own), spread(_ratios(own, copy)), entrant.memory)
        for entrant, own in zip(entrants, times, strict=True)
    ]
    pairs = list(zip(entrants, times, strict=True))
    ours = [(entrant, own) for entrant, own in pairs if entrant.name == OURS]
    theirs = [(entrant, own) for entrant, own in pairs if entrant.name not in (OURS, COPY)]
    ratios = [
        Ratio(a.way, b.name, b.way, spread(_ratios(numbers, others))) for a, numbers in ours for b, others in theirs
    ]
    return timed, ratios


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def _calls(entrant: Entrant) -> int:
    """Return how often to call it in a round: the first calls are slower, for they compile and take memory."""
    fastest = min(entrant.seconds(3) for _ in range(3))
    return max(1, min(MOST_CALLS, round(SLICE / fastest)))


def _order(count: int, number: int) -> list[int]:
    """Return who comes when: each is the first in turn, and there and back, so that nobody always follows the same."""
    order = [(i + number) % count for i in range(count)]
    return order[::-1] if number % 2 else order
