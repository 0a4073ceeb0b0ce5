"""The classes of a network's source: their arguments, members and instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.common_fields import SIZES
from attn_core.porting.write.structure import Item, Region


@dataclass(frozen=True)
class Argument:
    """An argument of a class; `default` is code, or empty where instances must say it."""

    name: str
    default: str = ""


@dataclass(frozen=True)
class Layer:
    """A member that is a step's layer; `code` says its fields as the source does, by argument or number."""

    name: str
    step: Step
    code: Mapping[str, str]
    varying: Mapping[str, tuple[Any, ...]]
    guard: str = ""


@dataclass(frozen=True)
class Instances:
    """A member that is one instance of a class, or several in a row."""

    name: str
    kinds: tuple[str, ...]
    regions: tuple[Region, ...]
    arguments: tuple[Mapping[str, str], ...]

    @property
    def several(self) -> bool:
        """Whether it is a list."""
        return len(self.regions) > 1


Member = Layer | Instances


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
            if isinstance(member, Layer) and isinstance(item, Step) and shared(member.step, item):
                return member
            if isinstance(member, Instances) and item in member.regions:
                return member
        raise KeyError(item.name)


def shared(first: Step, second: Step) -> bool:
    """Whether two steps are one layer, used twice."""
    ours, theirs = (tuple(leaf.names for leaf in step.arrays.values()) for step in (first, second))
    return first is second or (first.kind == second.kind and ours == theirs and bool(ours) and all(ours))


@dataclass
class Plan:
    """All classes, the network's last, and where each step's weights are in it."""

    classes: list[ClassPlan]
    places: dict[str, str]


def sizes(step: Item) -> dict[str, Any]:
    """Return the fields of a step in which instances of a class may differ."""
    if not isinstance(step, Step):
        return {}
    if step.kind == "attention":
        block = step.fields["block"]
        return {name: getattr(block, name) for name in ("channels", "hidden") if hasattr(block, name)}
    return {name: value for name, value in step.fields.items() if name in SIZES}


def code(value: Any) -> str:
    """Write a number, or a pair of equal ones as one."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return repr(value[0])
    return repr(value)
