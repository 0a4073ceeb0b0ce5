"""How somebody's arrays are taken over as a block's: by a map, as one of our layers, by a dialect, or by shapes."""

from __future__ import annotations

from collections.abc import Mapping

from attn_core.parity.foreign.by_dialect import by_dialects, dialects_of
from attn_core.parity.foreign.layer import Foreign, ForeignError
from attn_core.parity.foreign.leaves import above, leaf, plain, spread
from attn_core.parity.foreign.reading import Reading
from attn_core.parity.foreign.refusing import listed, unread, why_not
from attn_core.parity.foreign.taking import Taking
from attn_core.spec import Block
from attn_core.weights import dialects


def read(
    theirs: Foreign, block: Block, dialect: str | None = None, mapping: Mapping[str, str] | None = None
) -> Reading:
    """Return how a layer's arrays are the block's. **Raises** `ForeignError` that says what was tried."""
    taking = Taking(theirs, theirs.state(), block)
    if mapping is not None:
        return _mapped(taking, mapping)
    if dialect is not None:
        return _in_dialect(taking, dialect)
    own = theirs.own()
    if own is not None:
        return _own(taking, *own)
    # From the surest way to the least sure: names of a dialect say more than shapes.
    found = _by_names(taking)
    found = found or by_dialects(taking, dialects_of(theirs, block))
    found = found or _by_shapes(taking)
    if found is None:
        raise ForeignError(unread(theirs, taking.state, block))
    return found


def _mapped(taking: Taking, mapping: Mapping[str, str]) -> Reading:
    found = spread(mapping, taking.state, taking.arrays)
    # A map may name a layer, of which then some array must have been found.
    layers = {above(key) for key in found}
    unknown = [key for key in mapping if key not in found and key not in layers]
    missing = [name for name in taking.arrays if name not in found.values()]
    if unknown or missing:
        faults = [f"{key} -> {mapping[key]} names no array on both sides" for key in unknown]
        faults += [f"nothing is mapped to {name}" for name in missing]
        reason = f"{taking.theirs.title}: {'; '.join(faults)}."
        raise ForeignError(f"{reason} Its arrays are {listed(taking.state)}.")
    return taking.named(found, "by the map given")


def _in_dialect(taking: Taking, name: str) -> Reading:
    dialect = dialects.get(name)
    found = by_dialects(taking, [dialect])
    if found is None:
        raise ForeignError(f"{taking.theirs.title}: {why_not(taking.state, taking.block, dialect)}")
    return found


def _own(taking: Taking, own: Block, names: Mapping[str, str]) -> Reading:
    """Read a layer of ours, which knows its block and what its arrays are called in it."""
    if _shapes(own) != _shapes(taking.block):
        raise ForeignError(f"{taking.theirs.title} is {own!r}, whose weights are not those of {taking.block!r}.")
    return taking.named(names, "as one of our layers")


def _shapes(block: Block) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in block.arrays().items()}


def _by_names(taking: Taking) -> Reading | None:
    """Read arrays that are called as ours are."""
    names = {key: plain(key) for key in taking.state}
    if sorted(names.values()) != sorted(taking.arrays):
        return None
    return taking.named(names, "by its names, which are ours")


def _by_shapes(taking: Taking) -> Reading | None:
    """Read arrays of which each has the kind and the shape of just one of ours."""
    # Two layers of equal shapes cannot be told apart, and are not guessed.
    names = {}
    for key in taking.state:
        alike = [name for name in taking.arrays if leaf(name) == leaf(key)]
        fitting = [name for name in alike if taking.fits(key, name)]
        if len(fitting) != 1:
            return None
        names[key] = fitting[0]
    if sorted(names.values()) != sorted(taking.arrays):
        return None
    return taking.named(names, "by the shapes of its arrays")
