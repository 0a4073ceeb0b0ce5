"""How a class's own region and its instances lie side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.classes import ClassPlan, Instances, Layer, sizes
from attn_core.porting.write.signature import shape
from attn_core.porting.write.structure import Item, Region


def inlined(region: Region, classes: Mapping[Region, ClassPlan]) -> Region:
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
    own = shape(region).shortcut
    gone = {step.name for step in plan.shortcut} if not own else set()
    ours = [item for item in plan.region.items if item.name not in gone]
    if own:
        ours = [i for i in plan.region.items if i not in plan.shortcut] + list(plan.shortcut)
        theirs = [i for i in region.items if i not in own] + list(own)
    else:
        theirs = list(region.items)
    for mine, item in zip(ours, theirs, strict=True):
        if isinstance(item, Region) or item.is_layer:
            yield mine, item


def places(plan: ClassPlan, region: Region) -> Iterable[tuple[int, Item]]:
    """Yield the items of an instance by their place among the class's own."""
    for mine, item in aligned(plan, region):
        yield plan.region.items.index(mine), item


def rows(region: Region, classes: Mapping[Region, ClassPlan]) -> list[list[Item]]:
    """Group the items: instances of one class that follow each other, and nothing else reads, form a row."""
    readers = Counter(name for item in region.items for name in item.inputs)
    rows: list[list[Item]] = []
    for item in region.items:
        last = rows[-1][-1] if rows else None
        if (
            isinstance(item, Region)
            and isinstance(last, Region)
            and (classes[item] is classes[last] or (item.scope and "/" in item.scope))
            and item.source == last.name
            and readers[last.name] == 1
            and item.scope.rpartition("/")[0] == last.scope.rpartition("/")[0]
        ):
            rows[-1].append(item)
        else:
            rows.append([item])
    return rows


def value_of(child: ClassPlan, region: Item | None, argument: str, classes: Mapping[Region, ClassPlan]) -> Any:
    """Return the number that one instance of a class has for an argument."""
    if not isinstance(region, Region):
        return None
    flat = inlined(region, classes)
    for mine, item in aligned(child, flat):
        member = child.member(mine)
        if isinstance(member, Layer) and isinstance(item, Step):
            for name, text in member.code.items():
                if text == argument:
                    return sizes(item)[name]
        elif isinstance(member, Instances) and isinstance(item, Region):
            index = member.regions.index(mine)
            for name, text in member.arguments[index].items():
                if text == argument:
                    return value_of(classes[item], item, name, classes)
    return 1 if argument == "stride" else None


def known(column: Sequence[Any]) -> list[Any]:
    """Return the values of the instances that have one."""
    return [value for value in column if value is not None]
