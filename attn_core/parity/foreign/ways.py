"""How somebody's arrays are taken over as a block's: by a map, as one of our layers, by a dialect, or by shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attn_core.parity.foreign.fitting import above, entry, plain, spread
from attn_core.parity.foreign.layer import Foreign, ForeignError, State
from attn_core.parity.foreign.reading import Reading
from attn_core.parity.foreign.refusing import listed, unread, why_not
from attn_core.spec import Block
from attn_core.weights import dialects
from attn_core.weights.dialects.dialect import Dialect, InexpressibleError
from attn_core.weights.dialects.layout import Entry
from attn_core.weights.dialects.numbered import counted


def read(
    theirs: Foreign, block: Block, dialect: str | None = None, mapping: Mapping[str, str] | None = None
) -> Reading:
    """Return how a layer's arrays are the block's. **Raises** `ForeignError` that says what was tried."""
    state = theirs.state()
    if mapping is not None:
        return _mapped(theirs, state, block, mapping)
    if dialect is not None:
        found = next(_by_dialects(theirs, state, block, [dialects.get(dialect)]), None)
        if found is None:
            raise ForeignError(f"{theirs.title}: {why_not(state, block, dialects.get(dialect))}")
        return found
    own = theirs.own()
    if own is not None:
        return _own(theirs, state, block, own)
    ways = _ways(theirs, state, block)
    found = next(ways, None)
    if found is None:
        raise ForeignError(unread(theirs, state, block))
    return found


def _ways(theirs: Foreign, state: State, block: Block) -> Iterator[Reading]:
    yield from _by_names(theirs, state, block)
    yield from _by_dialects(theirs, state, block, dialects_of(theirs, block))
    yield from _by_shapes(theirs, state, block)


def dialects_of(theirs: Foreign, block: Block) -> list[Dialect]:
    """Return the dialects of such a block, first those of code that calls its arrays in the layer's way."""
    known = [dialects.get(name) for name in dialects.names()]
    ours = [dialect for dialect in known if dialect.block is type(block)]
    return sorted(ours, key=lambda dialect: theirs.separator not in dialect.boundary)


def _own(theirs: Foreign, state: State, block: Block, own: tuple[Block, dict[str, str]]) -> Reading:
    found, names = own
    shapes = {name: array.shape for name, array in block.arrays().items()}
    if shapes != {name: array.shape for name, array in found.arrays().items()}:
        raise ForeignError(f"{theirs.title} is {found!r}, whose weights are not those of {block!r}.")
    return Reading(block.arrays(), _entries(theirs, state, block, names), "as one of our layers", {})


def _mapped(theirs: Foreign, state: State, block: Block, mapping: Mapping[str, str]) -> Reading:
    names = list(block.arrays())
    found = spread(mapping, list(state), names)
    unknown = [key for key in mapping if key not in found and not any(key == above(each) for each in found)]
    missing = [name for name in names if name not in found.values()]
    if unknown or missing:
        faults = [f"{key} -> {mapping[key]} names no array on both sides" for key in unknown]
        faults += [f"nothing is mapped to {name}" for name in missing]
        raise ForeignError(f"{theirs.title}: {'; '.join(faults)}. Its arrays are {listed(state)}.")
    return Reading(block.arrays(), _entries(theirs, state, block, found), "by the map given", {})


def _entries(theirs: Foreign, state: State, block: Block, names: Mapping[str, str]) -> tuple[Entry, ...]:
    arrays, found = block.arrays(), []
    for key, name in names.items():
        each = entry(key, state[key].shape, name, arrays[name].shape, theirs.inputs_first)
        if each is None:
            sizes = f"{key} {state[key].shape} cannot be {name} {arrays[name].shape}"
            raise ForeignError(f"{theirs.title}: {sizes} of {block!r}.")
        found.append(each)
    return tuple(found)


def _by_names(theirs: Foreign, state: State, block: Block) -> Iterator[Reading]:
    """Read arrays that are called as ours are."""
    names = {key: plain(key) for key in state}
    if sorted(names.values()) == sorted(block.arrays()):
        yield Reading(block.arrays(), _entries(theirs, state, block, names), "by its names, which are ours", {})


def _by_dialects(theirs: Foreign, state: State, block: Block, known: list[Dialect]) -> Iterator[Reading]:
    """Read by each dialect that has all of these arrays, and they all of the dialect's."""
    namings = [*theirs.namings(), {key: key for key in state}]
    for dialect in known:
        try:
            entries, absent = dialect.entries(block), dialect.absent(block)
        except InexpressibleError:
            continue
        for naming in namings:
            keys = {naming[key]: key for key in state}
            named = counted({name: state[key] for name, key in keys.items()}, dialect.numbered)
            places = dict(zip(named, keys.values(), strict=True))
            for prefix in _prefixes(dialect, entries, places):
                own = [(each, places.get(prefix + each.key)) for each in entries]
                fits = all(key is not None and state[key].shape == each.shape for each, key in own)
                if fits and len(own) == len(state):
                    found = tuple(Entry(str(key), each.ours, each.shapes, each.turn) for each, key in own)
                    yield Reading(block.arrays(), found, f"by the dialect {dialect.name}", absent, dialect.name)


def _prefixes(dialect: Dialect, entries: list[Entry], places: Mapping[str, str]) -> list[str]:
    first = entries[0].key if entries else ""
    starts = [name.removesuffix(first) for name in places if first and name.endswith(first)]
    return [start for start in starts if not start or start[-1] in dialect.boundary]


def _by_shapes(theirs: Foreign, state: State, block: Block) -> Iterator[Reading]:
    """Read arrays of which each has the kind and the shape of just one of ours."""
    arrays, names = block.arrays(), {}
    for key, value in state.items():
        leaf = plain(key).rpartition(".")[2]
        fits = [
            name
            for name, array in arrays.items()
            if name.rpartition(".")[2] == leaf and entry(key, value.shape, name, array.shape, theirs.inputs_first, True)
        ]
        if len(fits) != 1:
            return
        names[key] = fits[0]
    if sorted(names.values()) == sorted(arrays):
        yield Reading(arrays, _entries(theirs, state, block, names), "by the shapes of its arrays", {})
