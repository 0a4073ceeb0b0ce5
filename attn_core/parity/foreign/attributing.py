"""Whose way it is, if a layer is a variant of a block: the dialect whose class has this setting or this order."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from attn_core.parity.foreign.by_dialect import dialects_of
from attn_core.parity.foreign.running import Candidate
from attn_core.parity.foreign.variants import Variant
from attn_core.spec import Block
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Entry, Turn
from attn_core.weights.dialects.meaning import differences
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.errors import DialectError


def dialect_of(candidate: Candidate, block: Block, variant: Variant) -> str:
    """Return the first dialect that is like the variant, or nothing."""
    for dialect in dialects_of(candidate.theirs, block):
        alike = _has_setting(dialect, variant) if variant.field else _has_order(dialect, candidate, block, variant)
        if alike:
            return dialect.name
    return ""


def _has_setting(dialect: Dialect, variant: Variant) -> bool:
    """Say whether the variant's setting is that of the dialect's class."""
    if variant.field not in dialect.options:
        return False
    try:
        shapes = {entry.key: entry.shape for entry in dialect.entries(variant.block)}
        theirs = dialect.configure(Sizes(dialect.name, shapes), {})
    except DialectError:
        return False
    return not any(differences(theirs, variant.block))


def _has_order(dialect: Dialect, candidate: Candidate, block: Block, variant: Variant) -> bool:
    """Say whether the dialect has the array as the layer has it, where the way in which it was read has not.

    Its class may differ from the block elsewhere, in a normalisation say: the order is its own anyway.
    """
    if variant.turn is None:
        return False
    try:
        own = _turn(dialect.entries(block), variant.name)
    except DialectError:
        return False
    read = _turn(candidate.reading.entries, variant.name)
    if own is None or read is None or own.flipped == read.flipped:
        return False
    # Each number of the array marked with its place: where both orders put it is compared.
    shape = block.arrays()[variant.name].shape
    marked = np.arange(np.prod(shape)).reshape(shape)
    in_layer = np.flip(variant.turn(marked), read.flipped)
    in_dialect = np.flip(marked, own.flipped)
    return np.array_equal(in_dialect, in_layer)


def _turn(entries: Iterable[Entry], name: str) -> Turn | None:
    """Return the layout of an array of ours, if they have it."""
    return next((entry.turn for entry in entries if name in entry.ours), None)
