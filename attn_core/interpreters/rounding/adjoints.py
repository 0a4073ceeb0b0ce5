"""Gradients, with the errors that are made on the way back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attn_core.interpreters.rounding.choices import unknown_at_kinks
from attn_core.interpreters.rounding.number import EXACT, Rounded


def gradients(output: Rounded, cotangent: Rounded, wanted: Mapping[str, Rounded]) -> dict[str, Rounded]:
    """Return the gradients of sum(output * cotangent), by the chain rule from the output backwards."""
    adjoints = {output.age: cotangent}
    for number in _backwards(output):
        adjoint = unknown_at_kinks(number, adjoints[number.age])
        for source, pull in number.sources:
            share = pull(adjoint)
            adjoints[source.age] = adjoints[source.age] + share if source.age in adjoints else share
        if number.sources:
            del adjoints[number.age]
    return {name: adjoints.get(x.age, Rounded(np.zeros(x.shape), EXACT, x.how)) for name, x in wanted.items()}


def _backwards(output: Rounded) -> list[Rounded]:
    """Return all that the output is made of, each before what it is made of itself."""
    seen, waiting = {output.age: output}, [output]
    while waiting:
        for source, _ in waiting.pop().sources:
            if source.age not in seen:
                seen[source.age] = source
                waiting.append(source)
    return [seen[age] for age in sorted(seen, reverse=True)]
