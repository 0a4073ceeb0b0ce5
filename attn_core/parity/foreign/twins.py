"""Two layers against each other, with the same weights in both."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.interpreters.rounding.arithmetic import DTYPES
from attn_core.parity.comparing import compared
from attn_core.parity.foreign.checking import Checked, Settings, check
from attn_core.parity.foreign.layer import ForeignError, adopt
from attn_core.parity.foreign.pairing import Pair, paired
from attn_core.parity.foreign.running import Draw, drawn
from attn_core.parity.foreign.wording import broken_sentence, sentences
from attn_core.parity.result import BROKEN, FAILED, PASSED, Cell, Tensor
from attn_core.spec import Block

Bounds = dict[str, NDArray[np.float64]]

TIMES, RUNS = 16, 4  # of the measured bound
MEASURED = (
    "There is no definition to derive a bound from: the bound was measured, "
    f"{TIMES} times how far the second moves when every number that goes in is rounded another way"
)


def twins(
    one: object,
    other: object,
    settings: Settings,
    dialect: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Checked:
    """Compare two layers; the second has what is wanted. **Raises** `ForeignError` if they cannot be compared."""
    first, second = (adopt(each, settings.shape, data_format=settings.data_format) for each in (one, other))
    pair = paired(first, second, dialect, mapping)
    out = second.run({}, np.zeros(settings.shape), dtype=settings.dtype).output.shape
    fixed = {**pair.one.reading.absent, **pair.other.reading.absent}
    draws = [
        drawn(pair.other.weights(), fixed, settings.shape, out, settings.seed, i, settings.dtype)
        for i in range(settings.draws)
    ]
    cells = [_cell(pair, draws, settings, mode) for mode in settings.modes]
    failed = next((i for i, cell in enumerate(cells) if cell.status == FAILED), None)
    if pair.block is not None and failed is not None:
        told = [_told(each, pair.block, settings) for each in (one, other)]
        cells[failed] = replace(cells[failed], message="\n".join([cells[failed].message, *told]))
    return Checked(tuple(cells), pair.how)


def _cell(pair: Pair, draws: list[Draw], settings: Settings, mode: str) -> Cell:
    train, start = mode == "train", time.perf_counter()
    worst: dict[str, Tensor] = {}
    shares: list[float] = []
    outcome = None
    for draw in draws:
        try:
            found = _comparable(pair, pair.one.run(draw, settings.dtype, train))
        except ForeignError:
            raise
        except Exception as error:
            broken = broken_sentence(pair.one.theirs.title, error, pair.block, settings.shape, mode)
            return replace(_titled(pair, settings, mode), status=BROKEN, message=broken)
        tensors = compared(found, _wanted(pair, draw, settings, train))
        shares.append(max(tensor.share for tensor in tensors))
        worst |= {t.name: t for t in tensors if t.name not in worst or t.share > worst[t.name].share}
        outcome = found if outcome is None and shares[-1] > 1 else outcome
    message = "" if outcome is None else _message(pair, list(worst.values()), outcome, settings, mode)
    cell = replace(_titled(pair, settings, mode), tensors=tuple(worst.values()), shares=tuple(shares))
    status, seconds = FAILED if message else PASSED, time.perf_counter() - start
    return replace(cell, status=status, message=message, seconds=seconds)


def _titled(pair: Pair, settings: Settings, mode: str) -> Cell:
    one, other = pair.one.theirs, pair.other.theirs
    name, text = (type(pair.block).__name__, repr(pair.block)) if pair.block else (one.title, other.title)
    both = f"{one.runtime} and {other.runtime}"
    return Cell(name, text, both, settings.dtype, mode, (settings.shape,), settings.seed, PASSED)


def _wanted(pair: Pair, draw: Draw, settings: Settings, train: bool) -> Bounded:
    """Return what the second computes, and how far rounding may take the two from each other."""
    wanted = _comparable(pair, pair.other.run(draw, settings.dtype, train))
    bounds = (
        _measured(pair, draw, wanted, settings, train) if pair.block is None else _derived(pair, draw, settings, train)
    )
    return Bounded(wanted, {name: bounds[name] for name in wanted.arrays()})


def _derived(pair: Pair, draw: Draw, settings: Settings, train: bool) -> Bounds:
    """Return twice the block's bounds: each of the two may be as far from the definition."""
    assert pair.block is not None
    given = (pair.block, draw.weights, draw.x, draw.cotangent, settings.dtype, train)
    return {name: 2 * bound for name, bound in bounded(*given).bounds.items()}


def _measured(
    pair: Pair, draw: Draw, wanted: Outcome, settings: Settings, train: bool
) -> dict[str, NDArray[np.float64]]:
    unit, rng = DTYPES[settings.dtype].unit, np.random.default_rng([settings.seed, 3])

    def rounded(array: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(array * (1 + unit * rng.choice((-2, 2), array.shape)))

    moved: dict[str, float] = {}
    for _ in range(RUNS):
        weights = {name: rounded(array) for name, array in draw.weights.items()}
        other = pair.other.run(Draw(weights, rounded(draw.x), rounded(draw.cotangent)), settings.dtype, train).arrays()
        for name, array in wanted.arrays().items():
            moved[name] = max(moved.get(name, 0.0), abs(array - other[name]).max(initial=0))
    arrays = wanted.arrays().items()
    return {n: np.full(a.shape, TIMES * (moved[n] + unit * abs(a).max(initial=0))) for n, a in arrays}


def _comparable(pair: Pair, outcome: Outcome) -> Outcome:
    """Leave out running variances where PyTorch's move to another variance than those of Keras and Flax."""
    if pair.one.unbiased == pair.other.unbiased:
        return outcome
    kept = {name: array for name, array in outcome.statistics.items() if not name.endswith("running_var")}
    return replace(outcome, statistics=kept)


def _message(pair: Pair, tensors: list[Tensor], found: Outcome, settings: Settings, mode: str) -> str:
    one, other = pair.one.theirs.title, pair.other.theirs.title
    where = f"in {mode}, {settings.dtype}, seed {settings.seed}"
    head = f"{one} is not {other} {where}; both have the same weights {pair.how}."
    lines = sentences(head, tensors, found)
    return "\n".join([*lines, f"{MEASURED}."] if pair.block is None else lines)


def _told(layer: object, block: Block, settings: Settings) -> str:
    """Say which of the two is the block."""
    checked = check(layer, block, settings)
    theirs = adopt(layer, settings.shape, data_format=settings.data_format).title
    return checked.message or f"{theirs[:1].upper()}{theirs[1:]} is {block!r}."
