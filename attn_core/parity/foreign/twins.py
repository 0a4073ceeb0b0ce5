"""Two layers against each other, with the same weights in both."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attn_core import dialects
from attn_core.dialects.layout import Entry
from attn_core.initializers import Constant
from attn_core.parity.comparing import compared
from attn_core.parity.foreign.checking import Checked, Settings, check
from attn_core.parity.foreign.fitting import entry, plain, spread
from attn_core.parity.foreign.layer import Foreign, ForeignError, adopt
from attn_core.parity.foreign.reading import Reading, read
from attn_core.parity.foreign.running import Draw, Subject, drawn
from attn_core.parity.foreign.wording import sentences
from attn_core.parity.result import FAILED, PASSED, Cell, Tensor
from attn_core.parity.runtimes import Outcome
from attn_core.rounding import Bounded, bounded
from attn_core.spec import Array, Block

Bounds = dict[str, NDArray[np.float64]]

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
TIMES, RUNS = 16, 4  # of the measured bound
MEASURED = (
    "There is no definition to derive a bound from: the bound was measured, "
    f"{TIMES} times how far the second moves when every number that goes in is rounded another way"
)


@dataclass(frozen=True)
class Pair:
    """Two layers whose arrays have the same names; the block that both are, if one is known."""

    one: Subject
    other: Subject
    block: Block | None
    how: str


def twins(
    one: object,
    other: object,
    settings: Settings,
    dialect: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Checked:
    """Compare two layers; the second has what is wanted. **Raises** `ForeignError` if they cannot be compared."""
    first, second = (adopt(each, settings.shape, data_format=settings.data_format) for each in (one, other))
    pair = _paired(first, second, settings, dialect, mapping)
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


def _paired(
    first: Foreign, second: Foreign, settings: Settings, dialect: str | None, mapping: Mapping[str, str] | None
) -> Pair:
    for block in _candidates(first, second, dialect) if mapping is None else ():
        try:
            readings = [read(each, block) for each in (first, second)]
        except ForeignError:
            continue
        one, other = (Subject(each, reading) for each, reading in zip((first, second), readings, strict=True))
        ways = " and ".join(dict.fromkeys(reading.how for reading in readings))
        return Pair(one, other, block, f"as {block!r}, {ways}")
    here, there = first.state(), second.state()
    names = {key: plain(key) for key in there}
    arrays = {names[key]: _array(key, value, second) for key, value in there.items()}
    wanted = {key: names[name] for key, name in _mapped(first, second, mapping).items()}
    ours = tuple(_entry(key, here[key], name, arrays[name], first) for key, name in wanted.items())
    theirs = tuple(_entry(key, value, names[key], arrays[names[key]], second) for key, value in there.items())
    way = "by the map given" if mapping is not None else "by their names"
    return Pair(
        Subject(first, Reading(arrays, ours, way, {})), Subject(second, Reading(arrays, theirs, way, {})), None, way
    )


def _candidates(first: Foreign, second: Foreign, dialect: str | None) -> list[Block]:
    """Return the blocks that one of the two is, as far as its class or its arrays tell."""
    found = [own[0] for own in (first.own(), second.own()) if own is not None]
    for state in (first.state(), second.state()):
        for name in [dialect] if dialect else [guess.dialect for guess in dialects.guess(state) if guess.score == 1]:
            try:
                found.append(dialects.read(name, state)[0])
            except dialects.DialectError:
                continue
    return list(dict.fromkeys(found))


def _mapped(first: Foreign, second: Foreign, mapping: Mapping[str, str] | None) -> dict[str, str]:
    """Return the second's name of each array of the first."""
    here, there = first.state(), second.state()
    plains = {plain(key): key for key in there}
    if mapping is None:
        found = {key: plains[plain(key)] for key in here if plain(key) in plains}
    else:
        names = {key: plain(name) if name in there else name for key, name in mapping.items()}
        found = {key: plains[name] for key, name in spread(names, list(here), list(plains)).items()}
    if set(found) != set(here) or sorted(found.values()) != sorted(there):
        lists = [f"{each.title} has {', '.join(each.state()) or 'none'}" for each in (first, second)]
        reason = "do not map onto each other" if mapping is not None else "are of no block that is known here"
        raise ForeignError(f"The arrays of the two {reason}: {'; '.join(lists)}. Give a map from the first's names.")
    return found


def _array(key: str, value: NDArray[np.float64], theirs: Foreign) -> Array:
    order = (-1, -2) if theirs.inputs_first and plain(key).endswith("weight") and value.ndim > 1 else None
    shape = np.moveaxis(value, order, (0, 1)).shape if order else value.shape
    return Array(shape, Constant(0.0), trainable="running_" not in plain(key))


def _entry(key: str, value: NDArray[np.float64], name: str, array: Array, theirs: Foreign) -> Entry:
    found = entry(key, value.shape, name, array.shape, theirs.inputs_first)
    if found is None:
        raise ForeignError(f"{theirs.title}: {key} {value.shape} cannot be the other's {name} {array.shape}.")
    return found


def _cell(pair: Pair, draws: list[Draw], settings: Settings, mode: str) -> Cell:
    train, start = mode == "train", time.perf_counter()
    worst: dict[str, Tensor] = {}
    shares: list[float] = []
    outcome = None
    for draw in draws:
        found = _comparable(pair, pair.one.run(draw, settings.dtype, train))
        tensors = compared(found, _wanted(pair, draw, settings, train))
        shares.append(max(tensor.share for tensor in tensors))
        worst |= {t.name: t for t in tensors if t.name not in worst or t.share > worst[t.name].share}
        outcome = found if outcome is None and shares[-1] > 1 else outcome
    message = "" if outcome is None else _message(pair, list(worst.values()), outcome, settings, mode)
    one, other = pair.one.theirs, pair.other.theirs
    name, text = (type(pair.block).__name__, repr(pair.block)) if pair.block else (one.title, other.title)
    given = (name, text, f"{one.runtime} and {other.runtime}", settings.dtype, mode, (settings.shape,), settings.seed)
    status, seconds = FAILED if message else PASSED, time.perf_counter() - start
    return Cell(*given, status, tuple(worst.values()), tuple(shares), message, seconds=seconds)


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
    unit, rng = UNIT[settings.dtype], np.random.default_rng([settings.seed, 3])

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
