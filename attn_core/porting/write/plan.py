"""Which regions become classes, and where each step's weights are then."""

from __future__ import annotations

from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.class_names import doc_of, free_name, name_of
from attn_core.porting.write.classes import ClassPlan, Instances, LayerMember, SourcePlan
from attn_core.porting.write.identifiers import IMPORTED, class_name
from attn_core.porting.write.instances import aligned, inlined
from attn_core.porting.write.members import Filler
from attn_core.porting.write.outline import families, outline
from attn_core.porting.write.region import Item, Region

Family = list[Region]  # regions that are instances of one class


def plan(network: Region) -> SourcePlan:
    """Plan the source of a network."""
    return _Planner(network).plan()


class _Planner:
    """Plans classes one after the other; `of_region` are those that are planned, by their instances."""

    def __init__(self, network: Region) -> None:
        self.network = network
        self.names = dict.fromkeys(IMPORTED)
        self.classes: list[ClassPlan] = []
        self.of_region: dict[Region, ClassPlan] = {}

    def plan(self) -> SourcePlan:
        """Plan classes from the inside out, then the network."""
        # A class can only be filled when it is known what its members' classes are given.
        for family in sorted(_families(self.network), key=lambda family: _depth(family[0])):
            self._plan_family(family)
        whole = self._plan_network()
        return SourcePlan(self.classes, dict(self._places(whole, whole.region, "")))

    def _plan_family(self, family: Family) -> None:
        # The class is written after an instance that has everything, its shortcut, too.
        fullest = max(family, key=lambda region: len(outline(region).shortcut))
        flat = {region: inlined(region, self.of_region) for region in family}
        template = flat[fullest]
        name = free_name(name_of(family), self.names)
        found = ClassPlan(name, template, shortcut=outline(template).shortcut, doc=doc_of(family))
        self._fill(found, list(flat.values()))
        self.of_region.update(dict.fromkeys(family, found))

    def _plan_network(self) -> ClassPlan:
        name = free_name(class_name(self.network.title) or "Network", self.names)
        whole = ClassPlan(name, inlined(self.network, self.of_region), doc="The whole network.")
        self._fill(whole, [whole.region])
        return whole

    def _fill(self, found: ClassPlan, instances: list[Region]) -> None:
        Filler(found, instances, self.of_region).fill()
        self.classes.append(found)

    def _places(self, plan: ClassPlan, region: Region, prefix: str) -> Iterable[tuple[str, str]]:
        """Yield the place of each step of one instance."""
        for ours, item in aligned(plan, region):
            member = plan.member(ours)
            if isinstance(member, LayerMember):
                yield item.name, f"{prefix}{member.name}"
            elif isinstance(item, Region):
                inner = f"{prefix}{_place(member, ours)}."
                yield from self._places(self.of_region[item], inlined(item, self.of_region), inner)


def _place(member: Instances, item: Item) -> str:
    """Return where one of several instances is: `blocks.2`."""
    return f"{member.name}.{member.index(item)}" if member.several else member.name


# ---- which regions are worth a class ---------------------------------------------------------------------------------


def _families(network: Region) -> list[Family]:
    """Return the regions that become classes, instances of one class together."""
    found = [family for family in families(_inside(network)) if _is_class(family)]
    return [family for family in found if not _is_row(family[0], found)]


def _inside(region: Region) -> Iterable[Region]:
    for item in region.items:
        if isinstance(item, Region):
            yield item
            yield from _inside(item)


def _is_class(family: Family) -> bool:
    """Whether regions come several times, or are one that its author saw as a unit and that is no plain chain."""
    region = family[0]
    return len(family) > 1 or (bool(region.scope) and _forks(region))


def _forks(region: Region) -> bool:
    """Whether a region holds branches that meet again."""
    return any(isinstance(item, Step) and len(item.inputs) > 1 for item in region.items)


def _is_row(region: Region, found: list[Family]) -> bool:
    """Whether a region is nothing but instances of one class, one after the other: its parent can have the list."""
    if len(region.items) == 1:
        return False
    return any(all(item in family for item in region.items) for family in found)


def _depth(region: Region) -> int:
    inside = [_depth(item) for item in region.items if isinstance(item, Region)]
    return 1 + max(inside, default=0)
