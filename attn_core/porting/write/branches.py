"""Branches that meet again, each fork with its end a region of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.region import ACTIVATIONS, Item, Region, Span


class Piece(NamedTuple):
    """Items between two places where a single value goes on."""

    source: str
    items: list[Item]


def branches(span: Span[Item], within: str) -> Iterable[Item]:
    """Yield the items, with those between a fork and its end put into a region of their own."""
    waiting = deque(_pieces(span))
    if len(waiting) == 1:  # from end to end one fork, which the region around it is there for
        yield from span.items
        return
    while waiting:
        source, items = waiting.popleft()
        if len(items) == 1:
            yield items[0]
            continue
        while waiting and _is_activation(waiting[0].items):
            items = [*items, *waiting.popleft().items]
        yield Region(tuple(items), source, items[-1].name, within=within)


def _pieces(span: Span[Item]) -> Iterable[Piece]:
    """Cut a span wherever a single value is all that goes on."""
    last_read = _last_read(span)
    source, live = span.source, {span.source}
    piece: list[Item] = []
    for position, item in enumerate(span.items):
        piece.append(item)
        live.add(item.name)
        live = {name for name in live if last_read.get(name, -1) > position}
        if len(live) == 1:
            yield Piece(source, piece)
            (source,) = live
            piece = []
    if piece:
        yield Piece(source, piece)


def _last_read(span: Span[Item]) -> dict[str, int]:
    """Return the position of the last item that reads a value; the result is read after all of them."""
    found = {span.result: len(span.items)}
    for position, item in enumerate(span.items):
        for name in item.inputs:
            found[name] = max(found.get(name, 0), position)
    return found


def _is_activation(items: list[Item]) -> bool:
    """Whether this is what a fork ends in: an activation after the sum."""
    step = items[0]
    if len(items) > 1 or not isinstance(step, Step) or step.is_layer:
        return False
    return step.kind in ACTIVATIONS and len(step.inputs) == 1
