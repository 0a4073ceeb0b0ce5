"""Which regions become classes, and where each step's weights are then."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Layer, Plan
from attn_core.porting.write.instances import aligned, inlined
from attn_core.porting.write.members import Filler
from attn_core.porting.write.names import IMPORTED, class_name, plain
from attn_core.porting.write.signature import families, shape
from attn_core.porting.write.structure import Region

LETTERS = [*"BCDEFGHIJKLMNOPQRSTUVWXYZ", *(f"_{number}" for number in range(27, 10_000))]


def plan(network: Region) -> Plan:
    """Plan the source of a network."""
    return _Planner(network).plan()


class _Planner:
    def __init__(self, network: Region) -> None:
        self.network = network
        found = [family for family in families(_inside(network)) if len(family) > 1 or _forks(family[0])]
        repeated = [family for family in found if family[0].scope or len(family) > 1]
        self.families = [family for family in repeated if not _row(family[0], repeated)]
        self.names = dict.fromkeys(IMPORTED)
        self.classes: list[ClassPlan] = []
        self.of_region: dict[Region, ClassPlan] = {}

    def plan(self) -> Plan:
        """Plan classes from the inside out, then the network."""
        for family in sorted(self.families, key=lambda family: _depth(family[0])):
            self._class(family)
        name = _numbered(class_name(self.network.title) or "Network", self.names)
        whole = ClassPlan(name, inlined(self.network, self.of_region), doc="The whole network.")
        self._fill(whole, [whole.region])
        self.classes.append(whole)
        return Plan(self.classes, dict(self._places(whole, whole.region, "")))

    def _class(self, family: list[Region]) -> None:
        template = max(family, key=lambda region: len(shape(region).shortcut))
        flat = [inlined(region, self.of_region) for region in family]
        region = flat[family.index(template)]
        name, doc = _numbered(_called(family), self.names), _doc(family)
        found = ClassPlan(name, region, shortcut=shape(region).shortcut, doc=doc)
        self._fill(found, flat)
        self.classes.append(found)
        self.of_region.update(dict.fromkeys(family, found))

    def _fill(self, found: ClassPlan, instances: list[Region]) -> None:
        Filler(found, instances, self.of_region).fill()

    def _places(self, plan: ClassPlan, region: Region, prefix: str) -> Iterable[tuple[str, str]]:
        """Yield the place of each step of one instance."""
        for ours, item in aligned(plan, region):
            member = plan.member(ours)
            if isinstance(member, Layer):
                yield item.name, f"{prefix}{member.name}"
            elif isinstance(item, Region):
                index = member.regions.index(ours) if isinstance(ours, Region) else 0
                inner = f"{prefix}{member.name}.{index}." if member.several else f"{prefix}{member.name}."
                child = self.of_region[item]
                yield from self._places(child, inlined(item, self.of_region), inner)


def _inside(region: Region) -> Iterable[Region]:
    for item in region.items:
        if isinstance(item, Region):
            yield item
            yield from _inside(item)


def _depth(region: Region) -> int:
    return 1 + max((_depth(item) for item in region.items if isinstance(item, Region)), default=0)


def _forks(region: Region) -> bool:
    """Whether an author's scope holds branches that meet again."""
    return bool(region.scope) and any(len(item.inputs) > 1 for item in region.items if isinstance(item, Step))


def _row(region: Region, repeated: list[list[Region]]) -> bool:
    """Whether a region is nothing but instances of one class, one after the other."""
    return len(region.items) > 1 and any(all(item in family for item in region.items) for family in repeated)


def _doc(family: list[Region]) -> str:
    """Say where a class comes from."""
    first = family[0].scope or next((step.path for step in family[0].steps() if step.arrays), family[0].name)
    more = f" and {len(family) - 1} more like it" if len(family) > 1 else ""
    start = "" if family[0].scope else "From "
    return f"{start}{plain(first)}{more}."


def _numbered(name: str, taken: dict[str, None]) -> str:
    """Return a class's name that is free: Unit, UnitB, UnitC."""
    found = next(each for each in (name, *(f"{name}{letter}" for letter in LETTERS)) if each not in taken)
    taken[found] = None
    return found


def _called(family: list[Region]) -> str:
    """Name a class by its instances' scopes, or by what it is."""
    titles = [region.title.rpartition("/")[2] for region in family]
    for found in (titles, [re.sub(r"\d+", "", title) for title in titles]):
        names = {class_name(title) for title in found}
        if len(names) == 1 and (name := names.pop()):
            return name
    kinds = [item.kind for item in family[0].items if isinstance(item, Step)]
    if "add" in kinds:
        return "ResidualBlock"
    return "Fork" if "concat" in kinds else "Block"
