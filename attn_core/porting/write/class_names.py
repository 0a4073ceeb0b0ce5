"""What classes are called, and what they say of where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.identifiers import class_name, plain
from attn_core.porting.write.region import Region, last_part


def name_of(family: list[Region]) -> str:
    """Name a class by its instances' scopes, or by what it is."""
    titles = [last_part(region.title) for region in family]
    # Numbers inside of a title (conv2_x, conv3_x) count instances, if it is only by them that the titles differ.
    numberless = [re.sub(r"\d+", "", title) for title in titles]
    return _in_common(titles) or _in_common(numberless) or _kind(family[0])


def _in_common(titles: list[str]) -> str:
    """Return the name that all titles lead to, or an empty text."""
    names = {class_name(title) for title in titles}
    return names.pop() if len(names) == 1 else ""


def _kind(region: Region) -> str:
    """Return what a region is, for a class that its author gave no name."""
    kinds = [item.kind for item in region.items if isinstance(item, Step)]
    if "add" in kinds:
        return "ResidualBlock"
    return "Fork" if "concat" in kinds else "Block"


def free_name(name: str, taken: dict[str, None]) -> str:
    """Return a class's name that is free, and take it: Unit, UnitB, UnitC."""
    suffixes = _suffixes()
    found = name
    while found in taken:
        found = name + next(suffixes)
    taken[found] = None
    return found


def _suffixes() -> Iterator[str]:
    yield from ascii_uppercase[1:]
    yield from (f"_{number}" for number in count(len(ascii_uppercase) + 1))


def doc_of(family: list[Region]) -> str:
    """Say where a class comes from."""
    more = f" and {len(family) - 1} more like it" if len(family) > 1 else ""
    scope = family[0].scope
    start = plain(scope) if scope else f"From {plain(_first_path(family[0]))}"
    return f"{start}{more}."


def _first_path(region: Region) -> str:
    """Return the path of the first step with weights, or else the result's name."""
    return next((step.path for step in region.steps() if step.arrays), region.name)
