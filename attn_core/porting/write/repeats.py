"""Patterns that come several times in a row, each time a region of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from attn_core.porting.write.region import Item, Region, Span
from attn_core.porting.write.signatures import StepSignature, step_signature

SHORTEST, LONGEST = 3, 12  # steps of a pattern
FEWEST = 3  # how often it must come
Mark = StepSignature | None  # of an item; None for a region


class Pattern(NamedTuple):
    """Where a pattern begins, its length, and how many items it covers with its repetitions."""

    start: int
    length: int
    covered: int

    @property
    def worth(self) -> tuple[int, int, int]:
        """What covers most is best, then what is shortest, then what comes first."""
        return self.covered, -self.length, -self.start


def repeats(span: Span[Item], within: str) -> Iterable[Item]:
    """Yield the items, with a pattern that comes three times or more in a row put into regions of its own."""
    items = span.items
    best = _best(items) if _is_chain(span) else None
    if best is None:
        yield from items
        return
    end = best.start + best.covered
    yield from items[: best.start]
    for start in range(best.start, end, best.length):
        source = items[start - 1].name if start else span.source
        unit = items[start : start + best.length]
        yield Region(tuple(unit), source, unit[-1].name, within=within)
    yield from items[end:]


def _is_chain(span: Span[Item]) -> bool:
    """Whether each item reads the one before it and nothing else."""
    before = [span.source, *(item.name for item in span.items)]
    return all(item.inputs == (name,) for item, name in zip(span.items, before, strict=False))


def _best(items: Sequence[Item]) -> Pattern | None:
    marks = [_mark(item) for item in items]
    return max(_patterns(marks), key=lambda pattern: pattern.worth, default=None)


def _mark(item: Item) -> Mark:
    """Return what items of a pattern must have in common; None for a region, which is a pattern of its own."""
    return None if isinstance(item, Region) else step_signature(item)


def _patterns(marks: list[Mark]) -> Iterable[Pattern]:
    for length in range(SHORTEST, LONGEST + 1):
        for start in range(len(marks) - length):
            count = _count(marks, start, length)
            if count >= FEWEST:
                yield Pattern(start, length, count * length)


def _count(marks: list[Mark], start: int, length: int) -> int:
    """Return how often the items from here on repeat themselves, 0 if they are no pattern."""
    pattern = marks[start : start + length]
    # Without this, a pattern could begin in the middle of a unit: its activation, then the next unit's layer.
    begins = pattern[0] is not None and pattern[0].kind in ("conv", "depthwise")
    if not begins or None in pattern:
        return 0
    count = 1
    while marks[start + count * length :][:length] == pattern:
        count += 1
    return count
