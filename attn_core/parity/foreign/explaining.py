"""What a layer is instead, if one other setting, layout or dialect makes it agree exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters import reference
from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.parity.comparing import compared
from attn_core.parity.foreign.running import Draw, Subject
from attn_core.parity.foreign.variants import Variant, variants
from attn_core.parity.foreign.ways import dialects_of
from attn_core.spec import Block
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.meaning import differences
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.files.errors import DialectError

Numbers = NDArray[Any]

CLOSE = 4  # times the largest bound: worth a closer look


@dataclass(frozen=True)
class Difference:
    """One draw on which a layer is not the block: what it computed, and what the block does within which bounds."""

    subject: Subject
    block: Block
    draw: Draw
    found: Outcome
    wanted: Bounded
    dtype: str
    train: bool

    @property
    def beyond(self) -> list[str]:
        """The names of the arrays that are beyond their bounds."""
        return [tensor.name for tensor in compared(self.found, self.wanted) if not tensor.passed]

    def near(self, name: str, found: Numbers, wanted: Numbers) -> bool:
        """Say whether two arrays are as near as those of this name may be."""
        bound = np.max(self.wanted.bounds[name], initial=0)
        return found.shape == wanted.shape and bool(abs(found - wanted).max(initial=0) <= CLOSE * bound)


def explained(it: Difference) -> str:
    """Return in a sentence what the layer computes instead of the block, or nothing."""
    gate = _gate(it)
    if gate:
        return gate
    if _random(it):
        return "Its output is random: the same input gave another output. Compare it without dropout, or in eval."
    with np.errstate(all="ignore"):  # of settings that do not suit these numbers
        match = next((variant for variant in variants(it.block, it.draw.weights) if _matches(it, variant)), None)
    return _added(it) if match is None else f"It matches {match.text}{_known(it.subject, it.block, match)}."


def _matches(it: Difference, variant: Variant) -> bool:
    if not _near(it, variant):
        return False
    wanted = _wanted(it, variant)
    return all(tensor.passed for tensor in compared(_without(it.found, wanted), wanted))


def _near(it: Difference, variant: Variant) -> bool:
    """Say whether output and statistics, which are quick to compute, are near."""
    given = (variant.block, variant.weights, it.draw.x)
    try:
        output = reference.evaluate(*given, it.train)
        moved = reference.statistics(*given, unbiased=it.subject.unbiased) if it.found.statistics else {}
    except ValueError:  # it cannot take this image
        return False
    if not it.near("output", it.found.output, output):
        return False
    return all(it.near(f"stat:{name}", array, moved[name]) for name, array in it.found.statistics.items())


def _wanted(it: Difference, variant: Variant) -> Bounded:
    """Return what the variant computes, for the weights as they were before they were turned."""
    given = (variant.block, variant.weights, it.draw.x, it.draw.cotangent, it.dtype, it.train)
    wanted = it.subject.compared(bounded(*given, unbiased=it.subject.unbiased))
    if variant.name not in wanted.values.gradients:
        return wanted
    gradients, key = dict(wanted.values.gradients), f"grad:{variant.name}"
    if variant.turn is None:
        del gradients[variant.name]
        bounds = {name: bound for name, bound in wanted.bounds.items() if name != key}
    else:
        gradients[variant.name] = variant.turn(gradients[variant.name])
        bounds = {**wanted.bounds, key: variant.turn(wanted.bounds[key])}
    return replace(wanted, values=replace(wanted.values, gradients=gradients), bounds=bounds)


def _without(found: Outcome, wanted: Bounded) -> Outcome:
    """Leave out the gradients of what has no effect."""
    kept = {name: array for name, array in found.gradients.items() if name in wanted.values.gradients}
    return replace(found, gradients=kept)


def _gate(it: Difference) -> str:
    """Recognise a class that leaves the product to its caller."""
    for name, gate in reference.gates(it.block, it.draw.weights, it.draw.x, it.train).items():
        alike = it.found.output.size == gate.size != it.draw.x.size
        if alike and it.near("output", it.found.output.reshape(gate.shape), gate):
            return f"It returns the gate {name!r}, which its caller multiplies with the image; the block does both."
    return ""


def _added(it: Difference) -> str:
    """Recognise a class that adds its input."""
    output = it.wanted.values.output
    added = output.shape == it.draw.x.shape and it.near("output", it.found.output, output + it.draw.x)
    return "Its output is the block's with the input added." if added else ""


def _random(it: Difference) -> bool:
    again = it.subject.run(it.draw, it.dtype, it.train, seed=1).output
    return not np.array_equal(again, it.found.output, equal_nan=True)


def _known(subject: Subject, block: Block, variant: Variant) -> str:
    """Name the dialect of which this is the way."""
    test = _has_setting if variant.field else _has_order
    every = dialects_of(subject.theirs, block)
    found = [dialect.name for dialect in every if test(dialect, subject, block, variant)]
    return (
        f": this is {found[0].partition('.')[0]}'s {'way' if variant.field else 'order'} ({found[0]})" if found else ""
    )


def _has_setting(dialect: Dialect, subject: Subject, block: Block, variant: Variant) -> bool:
    """Say whether the variant's setting is that of the dialect's class."""
    if variant.field not in dialect.options:
        return False
    try:
        shapes = {entry.key: entry.shape for entry in dialect.entries(variant.block)}
        theirs = dialect.configure(Sizes(dialect.name, shapes), {})
    except DialectError:
        return False
    return not list(differences(theirs, variant.block))


def _has_order(dialect: Dialect, subject: Subject, block: Block, variant: Variant) -> bool:
    """Say whether the dialect has the array as the layer has it, where the way in which it was read has not.

    Its class may differ from the block elsewhere, in a normalisation say: the order is its own anyway.
    """
    if variant.turn is None:
        return False
    try:
        entries = {name: entry for entry in dialect.entries(block) for name in entry.ours}
    except DialectError:
        return False
    read = next(entry.turn for entry in subject.reading.entries if variant.name in entry.ours)
    shape, own = block.arrays()[variant.name].shape, entries[variant.name].turn
    marked = np.arange(np.prod(shape)).reshape(shape)
    turned = np.flip(variant.turn(marked), read.flipped)
    return own.flipped != read.flipped and np.array_equal(np.flip(marked, own.flipped), turned)
