"""Regions: the parts of a network that may become modules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from attn_core.porting.network.steps.steps import Step

HARD = ("hard_sigmoid", "hard_swish")
ACTIVATIONS = ("relu", "relu6", "leaky_relu", "elu", "selu", "silu", "sigmoid", "tanh", "softplus", "softsign", *HARD)
WEIGHTED = ("conv", "depthwise", "transposed", "dense", "norm", "attention")


@dataclass(frozen=True, eq=False)
class Region:
    """Steps with one input and one result.

    Fields:
        items: steps and smaller regions, in order.
        source, name: the value that goes in and the value that comes out.
        scope: what the author called it, or an empty text.
        title: what its class may be called after, likewise.
        within: the scope that its layers' names are to be seen from.
    """

    items: tuple[Step | Region, ...]
    source: str
    name: str
    scope: str = ""
    title: str = ""
    within: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it reads, as a step has it."""
        return (self.source,)

    def steps(self) -> Iterable[Step]:
        """Yield all steps inside."""
        for item in self.items:
            yield from item.steps() if isinstance(item, Region) else (item,)

    def readers(self, name: str) -> int:
        """Return how often its items read a value."""
        return sum(item.inputs.count(name) for item in self.items)


Item = Step | Region


Entry = TypeVar("Entry", bound=Item, covariant=True)


@dataclass(frozen=True)
class Span(Generic[Entry]):
    """A stretch of a network before it is a region: what it reads, its steps or items in order, and its result."""

    source: str
    items: Sequence[Entry]
    result: str


def parent(scope: str) -> str:
    """Return the scope around one."""
    return scope.rpartition("/")[0]


def last_part(scope: str) -> str:
    """Return a scope's own name."""
    return scope.rpartition("/")[2]
