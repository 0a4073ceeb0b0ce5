"""What a layer is instead, if one other setting, layout or dialect makes it agree exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attn_core.interpreters import reference
from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.rounding import Bounded
from attn_core.parity.comparing import compared
from attn_core.parity.foreign.attributing import dialect_of
from attn_core.parity.foreign.difference import Difference
from attn_core.parity.foreign.variants import Variant, variants


def explained(it: Difference) -> str:
    """Return in a sentence what the layer computes instead of the block, or nothing."""
    gate = _gate(it)
    if gate:
        return f"It returns the gate {gate!r}, which its caller multiplies with the image; the block does both."
    if _is_random(it):
        return "Its output is random: the same input gave another output. Compare it without dropout, or in eval."
    if _has_no_gradients(it):
        return "All of its gradients are 0: it was run without them, as under torch.no_grad, or on detached tensors."
    match = _match(it)
    if match is not None:
        return f"It matches {match.text}{_known(it, match)}."
    if _adds_input(it):
        return "Its output is the block's with the input added."
    return ""


# ---- without a variant -----------------------------------------------------------------------------------------------


def _gate(it: Difference) -> str:
    """Return the gate that a class returns which leaves the product to its caller."""
    output, image = it.found.output, it.draw.image
    # As large as the image, it is meant to be the block's output.
    if output.size == image.size:
        return ""
    gates = reference.gates(it.comparison.block, it.draw.weights, image, it.comparison.train)
    for name, gate in gates.items():
        if output.size == gate.size and it.near("output", output.reshape(gate.shape), gate):
            return name
    return ""


def _is_random(it: Difference) -> bool:
    comparison = it.comparison
    again = comparison.candidate.run(it.draw, comparison.dtype, comparison.train, seed=1)
    return not np.array_equal(again.output, it.found.output, equal_nan=True)


def _has_no_gradients(it: Difference) -> bool:
    gradients = it.found.gradients
    return "output" not in it.beyond and bool(gradients) and not any(array.any() for array in gradients.values())


def _adds_input(it: Difference) -> bool:
    output, image = it.wanted.values.output, it.draw.image
    return output.shape == image.shape and it.near("output", it.found.output, output + image)


# ---- variants --------------------------------------------------------------------------------------------------------


def _match(it: Difference) -> Variant | None:
    """Return the first variant of the block with which all that was compared is within its bounds."""
    with np.errstate(all="ignore"):  # of settings that do not suit these numbers
        for variant in variants(it.comparison.block, it.draw.weights):
            if _near(it, variant) and _agrees(it, variant):
                return variant
    return None


def _near(it: Difference, variant: Variant) -> bool:
    """Say whether output and statistics, which are quick to compute, are near."""
    given = (variant.block, variant.weights, it.draw.image)
    unbiased = it.comparison.candidate.unbiased
    try:
        output = reference.evaluate(*given, it.comparison.train)
        moved = reference.statistics(*given, unbiased=unbiased) if it.found.statistics else {}
    except ValueError:  # it cannot take this image
        return False
    if not it.near("output", it.found.output, output):
        return False
    return all(it.near(f"stat:{name}", array, moved[name]) for name, array in it.found.statistics.items())


def _agrees(it: Difference, variant: Variant) -> bool:
    """Say whether everything is within its bounds, which take long to compute."""
    wanted = _as_it_was(it.comparison.wanted(variant.block, variant.weights, it.draw), variant)
    found = _with_effect(it.found, wanted)
    return all(tensor.passed for tensor in compared(found, wanted))


def _as_it_was(wanted: Bounded, variant: Variant) -> Bounded:
    """Return what a variant computes, with the gradient of the weights as they were before they were turned."""
    name, turn = variant.name, variant.turn
    gradients, bounds = dict(wanted.values.gradients), dict(wanted.bounds)
    if name not in gradients:
        return wanted
    gradient, bound = gradients.pop(name), bounds.pop(f"grad:{name}")
    # An array without effect has the gradient 0 in the layer, and another one in the variant.
    if turn is not None:
        gradients[name] = turn(gradient)
        bounds[f"grad:{name}"] = turn(bound)
    return replace(wanted, values=replace(wanted.values, gradients=gradients), bounds=bounds)


def _with_effect(found: Outcome, wanted: Bounded) -> Outcome:
    """Leave out the gradients of what has no effect."""
    kept = {name: array for name, array in found.gradients.items() if name in wanted.values.gradients}
    return replace(found, gradients=kept)


def _known(it: Difference, match: Variant) -> str:
    """Name the dialect of which this is the way."""
    name = dialect_of(it.comparison.candidate, it.comparison.block, match)
    if not name:
        return ""
    source = name.partition(".")[0]
    way = "way" if match.field else "order"
    return f": this is {source}'s {way} ({name})"
