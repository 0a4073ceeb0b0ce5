"""How two layers come to have the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attn_core.parity.foreign.fitting import entry, plain, spread
from attn_core.parity.foreign.layer import Foreign, ForeignError
from attn_core.parity.foreign.reading import Reading
from attn_core.parity.foreign.running import Subject
from attn_core.parity.foreign.ways import read
from attn_core.spec import Array, Block
from attn_core.spec.initializers import Constant
from attn_core.weights import dialects
from attn_core.weights.dialects.layout import Entry


@dataclass(frozen=True)
class Pair:
    """Two layers whose arrays have the same names; the block that both are, if one is known."""

    one: Subject
    other: Subject
    block: Block | None
    how: str


def paired(first: Foreign, second: Foreign, dialect: str | None, mapping: Mapping[str, str] | None) -> Pair:
    """Return the two with their arrays under the same names. **Raises** `ForeignError` if that cannot be done."""
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
