"""The modules of a network: the scopes its author gave it, and branches that meet again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from attn_core.tf1.network.steps import Step

WEIGHTED = ("conv", "depthwise", "dense", "norm", "attention")


@dataclass(frozen=True, eq=False)
class Region:
    """Steps with one input and one result.

    Fields:
        items: steps and smaller regions, in order.
        source, name: the value that goes in and the value that comes out.
        scope: what the author called it, or an empty text.
    """

    items: tuple[Step | Region, ...]
    source: str
    name: str
    scope: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it reads, as a step has it."""
        return (self.source,)

    def steps(self) -> Iterable[Step]:
        """Yield all steps inside."""
        for item in self.items:
            yield from item.steps() if isinstance(item, Region) else (item,)


Item = Step | Region


def structured(steps: Sequence[Step], source: str, result: str) -> Region:
    """Return the whole network as a region of regions."""
    layers = {step.path for step in steps if step.arrays}
    scopes = {step.name: _scope(step, layers) for step in steps}
    return _region(list(steps), source, result, scopes, ())


def _scope(step: Step, layers: set[str]) -> tuple[str, ...]:
    """Return the scopes around a step; a layer's own name is none."""
    if step.arrays:
        return tuple(step.path.split("/")[:-1])
    scope = step.name.split("/")[:-1]
    while scope and "/".join(scope) in layers:
        scope.pop()
    return tuple(scope)


def _region(
    steps: list[Step], source: str, result: str, scopes: dict[str, tuple[str, ...]], scope: tuple[str, ...]
) -> Region:
    depth = len(scope)
    items: list[Item] = []
    for inner, group in groupby(steps, lambda step: scopes[step.name][: depth + 1]):
        run = list(group)
        if len(inner) > depth and len(run) > 1 and (ends := _ends(run, steps, source, result)) is not None:
            child = _region(run, *ends, scopes, inner)
            items.append(replace(child, scope="/".join(inner)))
        else:
            items.extend(run)
    if len(items) == 1 and isinstance(items[0], Region):
        return items[0]
    return Region(tuple(_branches(items, source, result)), source, result)


def _ends(run: Sequence[Item], items: Sequence[Item], source: str, result: str) -> tuple[str, str] | None:
    """Return what goes into a run of steps and what comes out, if each is one value."""
    inside = {item.name for item in run}
    incoming = {name for item in run for name in item.inputs} - inside
    later = {name for item in items if item.name not in inside for name in item.inputs} | {result}
    outgoing = inside & later
    return (incoming.pop(), outgoing.pop()) if len(incoming) == len(outgoing) == 1 else None


def _branches(items: list[Item], source: str, result: str) -> Iterable[Item]:
    """Yield the items, with those between a fork and its end put into a region of their own."""
    pieces = list(_pieces(items, source, result))
    if len(pieces) == 1:
        yield from items
        return
    position = 0
    while position < len(pieces):
        start, piece = pieces[position]
        position += 1
        if len(piece) == 1:
            yield piece[0]
            continue
        while position < len(pieces) and _belongs(pieces[position][1]):
            piece = [*piece, *pieces[position][1]]
            position += 1
        yield Region(tuple(piece), start, piece[-1].name)


def _pieces(items: list[Item], source: str, result: str) -> Iterable[tuple[str, list[Item]]]:
    """Cut a list of items wherever a single value is all that goes on."""
    last = {result: len(items)}
    for place, item in enumerate(items):
        for name in item.inputs:
            last[name] = max(last.get(name, 0), place)
    piece: list[Item] = []
    live, start = {source}, source
    for place, item in enumerate(items):
        piece.append(item)
        live = {name for name in {*live, item.name} if last.get(name, -1) > place}
        if len(live) == 1:
            yield start, piece
            piece, start = [], next(iter(live))
    if piece:
        yield start, piece


def _belongs(piece: list[Item]) -> bool:
    """Whether this is what a branch ends in: an activation after the sum."""
    return len(piece) == 1 and isinstance(piece[0], Step) and not piece[0].arrays and len(piece[0].inputs) == 1 and (
        piece[0].kind in ("relu", "relu6", "leaky_relu", "elu", "silu", "sigmoid", "tanh")
    )  # fmt: skip
