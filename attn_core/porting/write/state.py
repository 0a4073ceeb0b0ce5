"""A network's weights under the names and in the layouts of a framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from attn_core.porting.network.network import Network
from attn_core.porting.network.steps.steps import Array, Step


@dataclass(frozen=True)
class Convention:
    """How a framework calls and lays out what is canonical here.

    Fields:
        full: from a step, a canonical leaf ("weight", "reduce.weight") and the place of its layer to their name.
        layout: from a step, a leaf and a canonical array to theirs.
        extra: arrays of a step's layer that the graph does not have.
    """

    full: Callable[[Step, str, str], str]
    layout: Callable[[Step, str, Array], Array] = lambda step, leaf, array: array
    extra: Callable[[Step], Mapping[str, Array]] = lambda step: {}


@dataclass(frozen=True)
class Place:
    """Where an array of the file went."""

    name: str
    variables: tuple[str, ...]
    shape: tuple[int, ...]


def state(network: Network, places: Mapping[str, str], convention: Convention) -> tuple[dict[str, Array], list[Place]]:
    """Return all arrays by their names in the framework, and where each came from; weights used twice come once."""
    arrays: dict[str, Array] = {}
    found: list[Place] = []
    for step in network.steps:
        for leaf in step.arrays:
            # A layer that is used twice is two steps with one place.
            name = convention.full(step, leaf, places[step.name])
            if name not in arrays:
                arrays[name] = _array(network, step, leaf, convention)
                found.append(Place(name, _variables(network, step, leaf), arrays[name].shape))
        if step.name in places:
            for name, array in convention.extra(step).items():
                arrays[f"{places[step.name]}.{name}"] = array
    return arrays, found


def _array(network: Network, step: Step, leaf: str, convention: Convention) -> Array:
    canonical = step.arrays[leaf].array(network.source.read)
    array = convention.layout(step, leaf, canonical)
    return np.ascontiguousarray(array, np.float32)


def _variables(network: Network, step: Step, leaf: str) -> tuple[str, ...]:
    """Return the variables that were read: of some, their moving averages."""
    return tuple(network.source.taken.get(name, name) for name in step.arrays[leaf].names)
