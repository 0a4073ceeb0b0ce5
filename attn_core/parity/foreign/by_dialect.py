"""A layer's arrays, taken over as a block's by the names and shapes of a dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attn_core.parity.foreign.layer import Foreign, State
from attn_core.parity.foreign.reading import Reading
from attn_core.parity.foreign.taking import Taking
from attn_core.spec import Block
from attn_core.weights import dialects
from attn_core.weights.dialects.dialect import Dialect, InexpressibleError
from attn_core.weights.dialects.layout import Entry
from attn_core.weights.dialects.numbered import counted

Keys = Mapping[str, str]  # of the layer, by the names that a dialect has


def dialects_of(theirs: Foreign, block: Block) -> list[Dialect]:
    """Return the dialects of such a block, first those of code that calls its arrays in the layer's way."""
    known = [dialects.get(name) for name in dialects.names()]
    ours = [dialect for dialect in known if dialect.block is type(block)]
    # Points in names are PyTorch's, slashes TensorFlow's; several dialects may have the same names and shapes.
    return sorted(ours, key=lambda dialect: theirs.separator not in dialect.boundary)


def by_dialects(taking: Taking, known: Iterable[Dialect]) -> Reading | None:
    """Read by the first dialect that has all of these arrays, and they all of the dialect's."""
    # Keras has two names for an array, with the attributes that hold its layers or with those layers' own names.
    own = {key: key for key in taking.state}
    namings = [*taking.theirs.namings(), own]
    for dialect in known:
        try:
            entries = dialect.entries(taking.block)
            absent = dialect.absent(taking.block)
        except InexpressibleError:
            continue
        for naming in namings:
            found = _placed(dialect, entries, _keys(taking.state, naming, dialect), taking.state)
            if found is not None:
                return Reading(taking.arrays, found, f"by the dialect {dialect.name}", absent)
    return None


def _keys(state: State, naming: Mapping[str, str], dialect: Dialect) -> Keys:
    shapes = {naming[key]: value.shape for key, value in state.items()}
    # TensorFlow numbers its layers: `dense_6` and `dense_7` may be the `dense` and `dense_1` of a block.
    names = counted(shapes, dialect.numbered)
    return {names[naming[key]]: key for key in state}


def _placed(dialect: Dialect, entries: Sequence[Entry], keys: Keys, state: State) -> tuple[Entry, ...] | None:
    """Return the entries with the layer's own keys, if all fit and no array is left over."""
    if len(entries) != len(state):
        return None
    for prefix in _prefixes(dialect, entries, keys):
        own = [_own(each, keys.get(prefix + each.key), state) for each in entries]
        found = tuple(each for each in own if each is not None)
        if len(found) == len(entries):
            return found
    return None


def _own(entry: Entry, key: str | None, state: State) -> Entry | None:
    if key is None or state[key].shape != entry.shape:
        return None
    return Entry(key, entry.ours, entry.shapes, entry.turn)


def _prefixes(dialect: Dialect, entries: Sequence[Entry], keys: Keys) -> list[str]:
    """Return what may stand before the names of the dialect: a layer may be a part of somebody's module."""
    if not entries:
        return []
    first = entries[0].key
    starts = [name.removesuffix(first) for name in keys if name.endswith(first)]
    return [start for start in starts if not start or start[-1] in dialect.boundary]
