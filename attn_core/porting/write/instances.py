"""How a class's own region and its instances lie side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Instances, LayerMember
from attn_core.porting.write.outline import outline
from attn_core.porting.write.region import Item, Region, parent
from attn_core.porting.write.signatures import sizes_of

Classes = Mapping[Region, ClassPlan]


def inlined(region: Region, classes: Classes) -> Region:
    """Put the items of regions that are no class in place of them."""
    items: list[Item] = []
    for item in region.items:
        if isinstance(item, Region) and item not in classes:
            items.extend(inlined(item, classes).items)
        else:
            items.append(item)
    return replace(region, items=tuple(items))


def aligned(plan: ClassPlan, region: Region) -> Iterable[tuple[Item, Item]]:
    """Pair the items of a class's own region that have weights with those of an instance."""
    shortcut = outline(region).shortcut
    ours = _without(plan.region, plan.shortcut)
    theirs = _without(region, shortcut)
    # Instances of one class may compute the shortcut before the main way or after it: here it comes last in all.
    if shortcut:
        ours += plan.shortcut
        theirs += shortcut
    for mine, item in zip(ours, theirs, strict=True):
        if isinstance(item, Region) or item.is_layer:
            yield mine, item


def _without(region: Region, shortcut: tuple[Step, ...]) -> list[Item]:
    return [item for item in region.items if item not in shortcut]


def rows(region: Region, classes: Classes) -> list[list[Item]]:
    """Group the items: instances of one class that follow each other, and nothing else reads, form a row."""
    rows: list[list[Item]] = []
    for item in region.items:
        last = rows[-1][-1] if rows else None
        is_next = isinstance(item, Region) and isinstance(last, Region) and _follows(item, last, classes)
        if is_next and region.readers(item.inputs[0]) == 1:
            rows[-1].append(item)
        else:
            rows.append([item])
    return rows


def _follows(region: Region, last: Region, classes: Classes) -> bool:
    """Whether a region is the next in a list that the last one is in."""
    if region.source != last.name or parent(region.scope) != parent(last.scope):
        return False
    # An author's block of units is one list, also where the first unit had to become a class of its own.
    return classes[region] is classes[last] or "/" in region.scope


def value_of(child: ClassPlan, region: Item | None, argument: str, classes: Classes) -> Any:
    """Return the number that one instance of a class has for an argument."""
    if not isinstance(region, Region):
        return None
    for mine, item in aligned(child, inlined(region, classes)):
        member = child.member(mine)
        if isinstance(member, LayerMember) and isinstance(item, Step):
            size = _given_by(argument, member.sizes)
            if size is not None:
                return sizes_of(item)[size]
        elif isinstance(member, Instances) and isinstance(item, Region):
            instance = member.all[member.index(mine)]
            inner = _given_by(argument, instance.arguments)
            if inner is not None:
                return value_of(classes[item], item, inner, classes)
    # A stride that only the shortcut has is 1 where there is none: a sum needs two images of one size.
    return 1 if argument == "stride" else None


def _given_by(argument: str, texts: Mapping[str, str]) -> str | None:
    """Return what takes an argument of the class as its value."""
    return next((name for name, text in texts.items() if text == argument), None)
