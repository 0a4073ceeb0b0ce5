"""The classes of a network's source: their arguments, members and instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.region import Item, Region


@dataclass(frozen=True)
class Argument:
    """An argument of a class; `default` is code, or empty where instances must say it."""

    name: str
    default: str = ""


@dataclass(frozen=True)
class LayerMember:
    """A member that is a step's layer.

    Fields:
        sizes: its sizes as the source says them, each an argument of the class or a number.
        padding: of a convolution, what fits all instances.
        guard: the argument that says whether an instance has it, or an empty text.
    """

    name: str
    step: Step
    sizes: Mapping[str, str]
    padding: Any = None
    guard: str = ""

    @property
    def dimensions(self) -> int:
        """How many axes in space its kernel has."""
        return len(self.step.fields["kernel"])

    @property
    def first(self) -> Item:
        """What stands for it in the class's own region."""
        return self.step

    def computes(self, item: Item) -> bool:
        """Whether an item is this layer."""
        return isinstance(item, Step) and same_layer(self.step, item)


@dataclass(frozen=True)
class Instance:
    """One instance of a class: the class's name, what it stands for, and what it is given."""

    kind: str
    region: Region
    arguments: Mapping[str, str]


@dataclass(frozen=True)
class Instances:
    """A member that is one instance of a class, or several in a row."""

    name: str
    all: tuple[Instance, ...]

    @property
    def first(self) -> Item:
        """What stands for the first of them in the class's own region."""
        return self.all[0].region

    @property
    def several(self) -> bool:
        """Whether it is a list."""
        return len(self.all) > 1

    def computes(self, item: Item) -> bool:
        """Whether an item is one of them."""
        return any(instance.region is item for instance in self.all)

    def index(self, item: Item) -> int:
        """Return which of them an item is."""
        return next(index for index, instance in enumerate(self.all) if instance.region is item)


Member = LayerMember | Instances


@dataclass
class ClassPlan:
    """A class: the region it was made of stands for all its instances."""

    name: str
    region: Region
    arguments: list[Argument] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    shortcut: tuple[Step, ...] = ()
    guard: str = ""
    doc: str = ""

    def member(self, item: Item) -> Member:
        """Return the member that computes an item."""
        for member in self.members:
            if member.computes(item):
                return member
        raise KeyError(item.name)


def same_layer(first: Step, second: Step) -> bool:
    """Whether two steps are one layer, used twice."""
    if first is second:
        return True
    ours, theirs = _variables(first), _variables(second)
    # Weights without names were computed by the graph: nothing shows that they are the same.
    return first.kind == second.kind and ours == theirs and bool(ours) and all(ours)


def _variables(step: Step) -> list[tuple[str, ...]]:
    return [leaf.names for leaf in step.arrays.values()]


@dataclass
class SourcePlan:
    """All classes, the network's last, and where each step's weights are in it."""

    classes: list[ClassPlan]
    places: dict[str, str]

    def layers(self, kind: str) -> Iterator[LayerMember]:
        """Yield the layers of a kind in all classes."""
        for each in self.classes:
            for member in each.members:
                if isinstance(member, LayerMember) and member.step.kind == kind:
                    yield member

    def uniform(self, kind: str, name: str) -> Any:
        """Return a field that all layers of a kind have in common, or None."""
        values = {layer.step.fields[name] for layer in self.layers(kind)}
        return values.pop() if len(values) == 1 else None
