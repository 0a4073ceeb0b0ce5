"""The message of a difference: the worst arrays, where the two part ways, and what the layer is instead."""

from __future__ import annotations

from typing import NamedTuple

from attn_core.interpreters.trace import trace
from attn_core.parity.foreign.difference import Difference
from attn_core.parity.foreign.explaining import explained
from attn_core.parity.foreign.locating import Parting, Shown, parting
from attn_core.parity.foreign.wording import sentences

STATISTIC = "stat:"


class Told(NamedTuple):
    """The step at which the two part ways, and the whole message."""

    where: str
    message: str


def told(it: Difference, seed: int) -> Told:
    """Say all that is known of a difference."""
    # Steps show what they compute on the way forward: a gradient alone that is wrong cannot be followed.
    found = _parting(it) if "output" in it.beyond else _of_statistics(it)
    comparison = it.comparison
    head = f"{comparison.candidate.theirs.title} is not {comparison.block!r}"
    settings = f"{comparison.mode}, {comparison.dtype}, seed {seed}"
    how = f"its weights were taken over {comparison.candidate.reading.how}"
    lines = sentences(f"{head} in {settings}; {how}.", it.tensors, it.found)
    ends = filter(None, [found.sentence, explained(it)])
    return Told(found.step, "\n".join([*lines, *ends]))


def _parting(it: Difference) -> Parting:
    comparison, candidate = it.comparison, it.comparison.candidate
    steps = trace(comparison.block, it.draw.weights, it.draw.image, comparison.train)
    calls = candidate.calls(it.draw, comparison.dtype, comparison.train)
    return parting(steps, Shown(calls, candidate.reading.layers(), comparison.dtype))


def _of_statistics(it: Difference) -> Parting:
    """Return the part whose running arrays are wrong, if nothing else is."""
    statistics = [name.removeprefix(STATISTIC) for name in it.beyond if name.startswith(STATISTIC)]
    parts = {name.rpartition(".")[0] for name in statistics}
    if len(statistics) < len(it.beyond) or len(parts) > 1:
        return Parting()
    return Parting(step=parts.pop())
