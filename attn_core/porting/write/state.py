"""A network's weights under the names and in the layouts of a framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from attn_core.porting.network.network import Network
from attn_core.porting.network.steps.steps import Array, Step


@dataclass(frozen=True)
class Naming:
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


def state(network: Network, places: Mapping[str, str], naming: Naming) -> tuple[dict[str, Array], list[Place]]:
    """Return all arrays by their names in the framework, and where each came from; weights used twice come once."""
    arrays: dict[str, Array] = {}
    found: list[Place] = []
    for step in network.steps:
        for leaf, name in _names(step, places, naming):
            if name in arrays:
                continue
            canonical = step.arrays[leaf].array(network.source.read)
            array = naming.layout(step, leaf, canonical)
            arrays[name] = np.ascontiguousarray(array, np.float32)
            taken = tuple(network.source.taken.get(each, each) for each in step.arrays[leaf].names)
            found.append(Place(name, taken, arrays[name].shape))
        if step.name in places:
            arrays |= {f"{places[step.name]}.{name}": array for name, array in naming.extra(step).items()}
    return arrays, found


def _names(step: Step, places: Mapping[str, str], naming: Naming) -> Iterator[tuple[str, str]]:
    for leaf in step.arrays:
        yield leaf, naming.full(step, leaf, places[step.name])
