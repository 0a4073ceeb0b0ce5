"""When two regions are the same but for their sizes, and the shortcut that some have and others not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.region import Item, Region
from attn_core.porting.write.signatures import StepSignature, step_signature

BEFORE = -1  # the position of a region's input, which stands before its items


class Line(NamedTuple):
    """What an item computes, and the positions of the items that it reads."""

    signature: StepSignature | tuple[Line, ...]
    reads: tuple[int, ...]


@dataclass(frozen=True)
class Outline:
    """What instances of a class have in common, and the steps on the shortcut that some do not have."""

    lines: tuple[Line, ...]
    shortcut: tuple[Step, ...] = ()

    @property
    def shortcut_signatures(self) -> tuple[StepSignature, ...]:
        """What the shortcuts of a class's instances must have in common, too."""
        return tuple(step_signature(step) for step in self.shortcut)


@cache
def outline(region: Region) -> Outline:
    """Return what a region has in common with others of its class."""
    shortcut = _shortcut(region)
    main = [item for item in region.items if item not in shortcut]
    positions = {region.source: BEFORE}
    # Where there is no shortcut, the sum reads the input itself: the end of one must look the same.
    if shortcut:
        positions[shortcut[-1].name] = BEFORE
    positions |= {item.name: position for position, item in enumerate(main)}
    return Outline(tuple(_line(item, positions) for item in main), shortcut)


def _line(item: Item, positions: dict[str, int]) -> Line:
    signature = outline(item).lines if isinstance(item, Region) else step_signature(item)
    return Line(signature, tuple(positions[name] for name in item.inputs))


def _shortcut(region: Region) -> tuple[Step, ...]:
    """Return the convolution and norm that stand, before a sum, between the region's input and the sum."""
    sums = [item for item in region.items if _is_sum_of_two(item)]
    if not sums:
        return ()
    # The two ways of a residual block meet in its last sum; one before it is inside of a way.
    ways = [_chain(region, name) for name in sums[-1].inputs]
    found = [way for way in ways if way]
    if len(found) == 2:  # no activation on either: the shorter one is the shortcut
        first, second = found
        return tuple(first if len(first) <= len(second) else second)
    # Of relu(x + norm(conv(x))) the convolution is the block itself: more must be left than a sum and what follows it.
    if len(found) == 1 and len(found[0]) < len(region.items) - 2:
        return tuple(found[0])
    return ()


def _is_sum_of_two(item: Item) -> bool:
    return isinstance(item, Step) and item.kind == "add" and len(item.inputs) == 2


def _chain(region: Region, name: str) -> list[Step]:
    """Return the steps from the region's input to a value if they are convolutions and norms, each read once."""
    items = {item.name: item for item in region.items}
    chain: list[Step] = []
    while name != region.source:
        item = items.get(name)
        if not isinstance(item, Step) or item.kind not in ("conv", "norm"):
            return []
        # What something else reads as well cannot be left out where the shortcut is.
        if region.readers(name) != 1:
            return []
        chain.insert(0, item)
        name = item.inputs[0]
    return chain


def same_class(first: Region, second: Region) -> bool:
    """Whether two regions can be instances of one class."""
    ours, theirs = outline(first), outline(second)
    if ours.lines != theirs.lines:
        return False
    if not ours.shortcut or not theirs.shortcut:
        return True  # an argument of the class says whether there is one
    return ours.shortcut_signatures == theirs.shortcut_signatures


def families(regions: Iterable[Region]) -> list[list[Region]]:
    """Put regions that can be instances of one class together, in the order of their first."""
    found: list[list[Region]] = []
    for region in regions:
        family = _family_of(region, found)
        if family is None:
            found.append([region])
        else:
            family.append(region)
    return found


def _family_of(region: Region, families: list[list[Region]]) -> list[Region] | None:
    # With all of them, not just the first: two with different shortcuts are both like one that has none.
    return next((family for family in families if all(same_class(region, other) for other in family)), None)
