"""How two layers come to have the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attn_core.parity.foreign.fitting import NamedShape, entry
from attn_core.parity.foreign.layer import Foreign, ForeignError, State
from attn_core.parity.foreign.leaves import plain, spread
from attn_core.parity.foreign.reading import Reading
from attn_core.parity.foreign.running import Candidate
from attn_core.parity.foreign.ways import read
from attn_core.spec import Array, Block
from attn_core.spec.initializers import Constant
from attn_core.weights import dialects
from attn_core.weights.dialects.layout import Entry


@dataclass(frozen=True)
class Pair:
    """Two layers whose arrays have the same names; the block that both are, if one is known."""

    one: Candidate
    other: Candidate
    block: Block | None
    how: str


def paired(first: Foreign, second: Foreign, dialect: str | None, mapping: Mapping[str, str] | None) -> Pair:
    """Return the two with their arrays under the same names. **Raises** `ForeignError` if that cannot be done."""
    if mapping is not None:
        return _alone(first, second, _mapped(first, second, mapping), "by the map given")
    for block in _blocks(first, second, dialect):
        try:
            return _as_block(first, second, block)
        except ForeignError:  # one of the two is this block, and the other is not
            continue
    return _alone(first, second, _same_names(first, second), "by their names")


# ---- as one block ----------------------------------------------------------------------------------------------------


def _blocks(first: Foreign, second: Foreign, dialect: str | None) -> list[Block]:
    """Return the blocks that one of the two is, as far as its class or its arrays tell."""
    own = filter(None, [first.own(), second.own()])
    found = [block for block, _ in own]
    for layer in (first, second):
        found += _told(layer.state(), dialect)
    return list(dict.fromkeys(found))


def _told(state: State, dialect: str | None) -> list[Block]:
    """Return the blocks that just these arrays are, in the dialect given or in any."""
    if not dialect:
        return [guess.block for guess in dialects.guess(state) if guess.block is not None]
    try:
        block, _ = dialects.read(dialect, state)
    except dialects.DialectError:
        return []
    return [block]


def _as_block(first: Foreign, second: Foreign, block: Block) -> Pair:
    one, other = (Candidate(layer, read(layer, block)) for layer in (first, second))
    ways = dict.fromkeys([one.reading.how, other.reading.how])
    return Pair(one, other, block, f"as {block!r}, {' and '.join(ways)}")


# ---- as they are -----------------------------------------------------------------------------------------------------


def _same_names(first: Foreign, second: Foreign) -> dict[str, str]:
    """Return the second's name of each array of the first, where both are called the same."""
    theirs = {plain(key): key for key in second.state()}
    common = [key for key in first.state() if plain(key) in theirs]
    found = {key: theirs[plain(key)] for key in common}
    _require_all(first, second, found, "are of no block that is known here")
    return found


def _mapped(first: Foreign, second: Foreign, mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the second's name of each array of the first, given those of some, or of whole layers."""
    there = second.state()
    theirs = {plain(key): key for key in there}
    names = {key: plain(name) if name in there else name for key, name in mapping.items()}
    wanted = spread(names, first.state(), theirs)
    found = {key: theirs[name] for key, name in wanted.items()}
    _require_all(first, second, found, "do not map onto each other")
    return found


def _require_all(first: Foreign, second: Foreign, found: Mapping[str, str], reason: str) -> None:
    """Raise `ForeignError` unless each array of both is found, once."""
    here, there = sorted(first.state()), sorted(second.state())
    if sorted(found) == here and sorted(found.values()) == there:
        return
    lists = [f"{each.title} has {', '.join(each.state()) or 'none'}" for each in (first, second)]
    raise ForeignError(f"The arrays of the two {reason}: {'; '.join(lists)}. Give a map from the first's names.")


def _alone(first: Foreign, second: Foreign, names: Mapping[str, str], how: str) -> Pair:
    """Return a pair of no known block: the second's arrays, laid out as ours are, stand for those of one."""
    here, there = _named(first), _named(second)
    arrays = {plain(key): _array(each, second) for key, each in there.items()}
    ours = [_entry(here[key], plain(name), arrays, first) for key, name in names.items()]
    theirs = [_entry(each, plain(key), arrays, second) for key, each in there.items()]
    one = Candidate(first, Reading(arrays, tuple(ours), how, {}))
    other = Candidate(second, Reading(arrays, tuple(theirs), how, {}))
    return Pair(one, other, None, how)


def _named(layer: Foreign) -> dict[str, NamedShape]:
    return {key: NamedShape(key, value.shape) for key, value in layer.state().items()}


def _array(theirs: NamedShape, layer: Foreign) -> Array:
    name, shape = plain(theirs.name), theirs.shape
    if layer.inputs_first and name.endswith("weight") and len(shape) > 1:
        *kernel, inputs, outputs = shape
        shape = (outputs, inputs, *kernel)
    # Only the shape and whether it is trained are asked for: the weights are the second's own.
    return Array(shape, Constant(0.0), trainable="running_" not in name)


def _entry(theirs: NamedShape, name: str, arrays: Mapping[str, Array], layer: Foreign) -> Entry:
    other = NamedShape(name, arrays[name].shape)
    found = entry(theirs, other, layer.inputs_first)
    if found is None:
        raise ForeignError(f"{layer.title}: {theirs} cannot be the other's {other}.")
    return found
