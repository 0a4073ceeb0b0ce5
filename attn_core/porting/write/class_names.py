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
    return _in_common(titles) or _in_common([_without_numbers(title) for title in titles]) or _kind(family[0])


def _in_common(titles: list[str]) -> str:
    """Return the name that all titles lead to, or an empty text."""
    names = {class_name(title) for title in titles}
    return names.pop() if len(names) == 1 else ""


def _without_numbers(title: str) -> str:
    return re.sub(r"\d+", "", title)


def _kind(region: Region) -> str:
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
    return f"{plain(scope)}{more}." if scope else f"From {plain(_first_path(family[0]))}{more}."


def _first_path(region: Region) -> str:
    """Return the path of the first step with weights, or else the result's name."""
    return next((step.path for step in region.steps() if step.arrays), region.name)
