"""Gradients, with the errors that are made on the way back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attn_core.interpreters.rounding.number import EXACT, Rounded


def gradients(output: Rounded, cotangent: Rounded, wanted: Mapping[str, Rounded]) -> dict[str, Rounded]:
    """Return the gradients of sum(output * cotangent), by the chain rule from the output backwards."""
    adjoints = {output.age: cotangent}
    for number in _backwards(output):
        _pass_on(number, adjoints)
    found = {}
    for name, number in wanted.items():
        reached = number.age in adjoints
        found[name] = adjoints[number.age] if reached else _zeros(number)
    return found


def _backwards(output: Rounded) -> list[Rounded]:
    """Return all that the output is made of, each before what it is made of itself."""
    seen = {output.age: output}
    waiting = [output]
    while waiting:
        for source, _ in waiting.pop().sources:
            if source.age not in seen:
                seen[source.age] = source
                waiting.append(source)
    # What is made of a number is younger than it, so the adjoint of each is complete when its turn comes.
    youngest_first = sorted(seen, reverse=True)
    return [seen[age] for age in youngest_first]


def _pass_on(number: Rounded, adjoints: dict[int, Rounded]) -> None:
    """Add the shares of what a number is made of to their adjoints."""
    adjoint = adjoints[number.age]
    for source, pull in number.sources:
        share = pull(adjoint)
        known = adjoints.get(source.age)
        adjoints[source.age] = share if known is None else known + share
    # Only the adjoints of leaves are asked for at the end; with their samples, all of them would fill the memory.
    if number.sources:
        del adjoints[number.age]


def _zeros(number: Rounded) -> Rounded:
    """Return the gradient of what the output does not depend on."""
    return Rounded(np.zeros(number.shape), EXACT, number.how)
