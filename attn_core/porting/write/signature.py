"""When two regions are the same but for their sizes, and the shortcut that some have and others not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.common_fields import signature
from attn_core.porting.write.structure import Item, Region


@dataclass(frozen=True)
class Shape:
    """What instances of a class have in common, and the steps on the shortcut that some do not have."""

    signature: Any
    shortcut: tuple[Step, ...] = ()

    @property
    def shortcut_signature(self) -> Any:
        """What the shortcuts of a class's instances must have in common, too."""
        return tuple(signature(step) for step in self.shortcut)


@cache
def shape(region: Region) -> Shape:
    """Return what a region has in common with others of its class."""
    shortcut = _shortcut(region)
    gone = {step.name for step in shortcut}
    known = {region.source: -1, **({shortcut[-1].name: -1} if shortcut else {})}
    items = [item for item in region.items if item.name not in gone]
    known |= {item.name: place for place, item in enumerate(items)}
    return Shape(tuple((_of_item(item), tuple(known[name] for name in item.inputs)) for item in items), shortcut)


def _of_item(item: Item) -> Any:
    return shape(item).signature if isinstance(item, Region) else signature(item)


def _shortcut(region: Region) -> tuple[Step, ...]:
    """Return the convolution and norm that stand, before a sum, between the region's input and the sum."""
    ends = [item for item in region.items if isinstance(item, Step) and item.kind == "add" and len(item.inputs) == 2]
    for end in ends[-1:]:
        chains = [_chain(region, name) for name in end.inputs]
        found = [chain for chain in chains if chain]
        if len(found) == 1 and len(found[0]) < len(region.items) - 2:
            return tuple(found[0])
        if len(found) == 2:
            return tuple(found[0] if len(found[0]) <= len(found[1]) else found[1])
    return ()


def _chain(region: Region, name: str) -> list[Step]:
    """Return the steps from the region's input to a value if they are convolutions and norms, each read once."""
    items = {item.name: item for item in region.items}
    chain: list[Step] = []
    while name != region.source:
        item = items.get(name)
        readers = sum(each.inputs.count(name) for each in region.items)
        if not isinstance(item, Step) or item.kind not in ("conv", "norm") or readers != 1:
            return []
        chain.insert(0, item)
        name = item.inputs[0]
    return chain


def same_class(first: Region, second: Region) -> bool:
    """Whether two regions can be instances of one class."""
    a, b = shape(first), shape(second)
    either = not a.shortcut or not b.shortcut or a.shortcut_signature == b.shortcut_signature
    return a.signature == b.signature and either


def families(regions: Iterable[Region]) -> list[list[Region]]:
    """Put regions that can be instances of one class together, in the order of their first."""
    found: list[list[Region]] = []
    for region in regions:
        family = next((each for each in found if all(same_class(region, other) for other in each)), None)
        if family is None:
            found.append([region])
        else:
            family.append(region)
    return found
