"""Where a network's weights are: in the graph itself, or in the checkpoint beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from attn_core.porting.find.variables import AVERAGE, OBJECT, Catalogue, catalogue
from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.reads import Stored, stored
from attn_core.porting.network.steps.steps import Array
from attn_core.weights.files.tf1.errors import CheckpointError


class Variables(Protocol):
    """Arrays by name, whose shapes are known before they are read: a checkpoint's, or those of a Keras model."""

    def __getitem__(self, name: str, /) -> Array:
        """Read an array."""

    def __iter__(self) -> Iterator[str]:
        """Yield all names."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is an array of this name."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a shape without reading the array."""


@dataclass
class Source:
    """Reads variables and constants; `averages` says whether moving averages stand for the variables they follow.

    `saved_as` has the names in the file of variables that the graph calls otherwise. `taken` maps each variable that
    was read to the name under which the file holds it.
    """

    graph: Graph
    checkpoint: Variables | None = None
    averages: bool = True
    saved_as: Mapping[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = {name: self.checkpoint.shape(name) for name in self.checkpoint} if self.checkpoint else {}
        self.known: Catalogue = catalogue(shapes)

    def read(self, wanted: Stored) -> Array:
        """Return an array as the file lays it out. **Raises** `CheckpointError` if the file does not hold it."""
        return self.reader(wanted)()

    def reader(self, wanted: Stored) -> Callable[[], Array]:
        """Find an array, and return what reads it. **Raises** `CheckpointError` if the file does not hold it."""
        if wanted.frozen:
            self.taken[wanted.name] = wanted.name
            return partial(wanted.values, self.graph)
        if self.checkpoint is None:
            raise CheckpointError(
                f"{self.graph.path}: {wanted.name!r} is a variable, whose values are in a checkpoint."
            )
        name = self._name(wanted.name)
        if self.checkpoint.shape(name) != wanted.shape:
            held, shape = list(self.checkpoint.shape(name)), list(wanted.shape)
            raise CheckpointError(f"{name} has the shape {held} in the checkpoint and {shape} in the graph.")
        self.taken[wanted.name] = name
        return partial(self.checkpoint.__getitem__, name)

    def _name(self, variable: str) -> str:
        # Of TensorFlow 2, the name in the file ends in what part of an object it is.
        name = self.saved_as.get(variable, variable).removesuffix(OBJECT)
        # Where a training keeps moving averages of its weights, the network is meant to be used with them.
        if self.averages and name in self.known.averages:
            return self.known.averages[name]
        if name.endswith(AVERAGE) and self.checkpoint is not None and name in self.checkpoint:
            return name  # the graph itself reads the average
        if name not in self.known.stored:
            raise CheckpointError(f"{self.checkpoint!r} does not hold {name!r}, which the network needs.")
        return self.known.stored[name]

    def variable(self, node: Node) -> Callable[[], Array]:
        """Return what reads the variable of a node; of one in parts, the part."""
        found = stored(self.graph, Ref(node.name))
        if found is None:
            raise CheckpointError(f"{self.graph.path}: the variable {node.name!r} has no known shape.")
        return self.reader(found)
