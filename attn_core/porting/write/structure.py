"""The modules of a network: the scopes its author gave it, and branches that meet again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.common_fields import signature

ACTIVATIONS = ("relu", "relu6", "leaky_relu", "elu", "selu", "silu", "sigmoid", "tanh", "softplus", "softsign")
WEIGHTED = ("conv", "depthwise", "dense", "norm", "attention")


@dataclass(frozen=True, eq=False)
class Region:
    """Steps with one input and one result.

    Fields:
        items: steps and smaller regions, in order.
        source, name: the value that goes in and the value that comes out.
        scope: what the author called it, or an empty text.
        title: what its class may be called after, likewise.
        within: the scope that its layers' names are to be seen from.
    """

    items: tuple[Step | Region, ...]
    source: str
    name: str
    scope: str = ""
    title: str = ""
    within: str = ""

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
    layers = {step.path for step in steps if step.is_layer}
    common = _common([step.path.split("/")[:-1] for step in steps if step.is_layer])
    scopes = {step.name: _scope(step, layers, common) for step in steps}
    return _region(list(steps), source, result, scopes, common, named=False)


def _common(scopes: list[list[str]]) -> tuple[str, ...]:
    """Return the scope around all layers."""
    found = []
    for names in zip(*scopes, strict=False):
        if len(set(names)) > 1:
            break
        found.append(names[0])
    return tuple(found)


def _scope(step: Step, layers: set[str], common: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes around a step; a layer's own name is none."""
    scope = (step.path if step.is_layer else step.name).split("/")[:-1]
    while scope and "/".join(scope) in layers:
        scope.pop()
    while common and tuple(scope[len(common) : 2 * len(common)]) == common:  # a scope that was entered again
        del scope[: len(common)]
    return tuple(scope) if tuple(scope[: len(common)]) == common else common


def _region(
    steps: list[Step],
    source: str,
    result: str,
    scopes: dict[str, tuple[str, ...]],
    scope: tuple[str, ...],
    named: bool = True,
) -> Region:
    items = list(_by_scope(steps, steps, source, result, scopes, len(scope)))
    text = "/".join(scope)
    forked = list(_branches(items, source, result, text))
    if named and sum(isinstance(item, Region) for item in forked) == 1:
        forked = items  # the author's scope is the module already
    items = list(_repeats(forked, source, text))
    if len(items) == 1 and isinstance(items[0], Region):
        return replace(items[0], scope=text, title=items[0].title or text)
    return Region(tuple(items), source, result, text, text, text)


def _by_scope(
    steps: list[Step],
    whole: list[Step],
    source: str,
    result: str,
    scopes: dict[str, tuple[str, ...]],
    depth: int,
) -> Iterable[Item]:
    """Yield a region for each scope that has one input and one result; of another scope, those inside of it."""
    for inner, group in groupby(steps, lambda step: scopes[step.name][: depth + 1]):
        run = list(group)
        if len(inner) == depth or not _worth(run):
            yield from run
        elif (ends := _ends(run, whole, source, result)) is not None:
            yield _region(run, *ends, scopes, inner)
        else:
            yield from _by_scope(run, whole, source, result, scopes, depth + 1)


def _worth(run: Sequence[Step]) -> bool:
    """Whether steps are more than one layer with its norm and activation."""
    layers = sum(step.kind in ("conv", "depthwise", "dense", "attention") for step in run)
    return layers > 1 or (layers > 0 and any(len(step.inputs) > 1 for step in run))


def _ends(run: Sequence[Item], items: Sequence[Item], source: str, result: str) -> tuple[str, str] | None:
    """Return what goes into a run of steps and what comes out, if each is one value."""
    inside = {item.name for item in run}
    incoming = {name for item in run for name in item.inputs} - inside
    later = {name for item in items if item.name not in inside for name in item.inputs} | {result}
    outgoing = inside & later
    return (incoming.pop(), outgoing.pop()) if len(incoming) == len(outgoing) == 1 else None


def _branches(items: list[Item], source: str, result: str, within: str) -> Iterable[Item]:
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
        yield Region(tuple(piece), start, piece[-1].name, within=within)


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
    return len(piece) == 1 and isinstance(piece[0], Step) and not piece[0].is_layer and len(piece[0].inputs) == 1 and (
        piece[0].kind in ACTIVATIONS
    )  # fmt: skip


LONGEST, FEWEST = 12, 3  # steps of a pattern, and how often it must come in a row


def _repeats(items: list[Item], source: str, within: str) -> Iterable[Item]:
    """Yield the items, with a pattern that comes three times or more in a row put into regions of its own."""
    if not _is_chain(items, source):
        yield from items
        return
    marks = [_mark(item) for item in items]
    best = max(
        ((start, length) for length in range(2, LONGEST + 1) for start in range(len(items) - length)),
        key=lambda found: (_covered(marks, *found), -found[1], -found[0]),
        default=None,
    )
    if best is None or _covered(marks, *best) == 0:
        yield from items
        return
    start, length = best
    yield from items[:start]
    end = start + _covered(marks, start, length)
    for place in range(start, end, length):
        before = items[place - 1].name if place else source
        yield Region(tuple(items[place : place + length]), before, items[place + length - 1].name, within=within)
    yield from items[end:]


def _is_chain(items: list[Item], source: str) -> bool:
    """Whether each item reads the one before it and nothing else."""
    before = [source, *(item.name for item in items)]
    return all(item.inputs == (name,) for item, name in zip(items, before, strict=False))


def _covered(marks: list[Any], start: int, length: int) -> int:
    """Return how many items a pattern covers, 0 if it is none: it starts with a layer and has two or more."""
    pattern = marks[start : start + length]
    if pattern[0] is None or pattern[0][0] not in ("conv", "depthwise") or None in pattern:
        return 0
    count = 1
    while marks[start + count * length : start + (count + 1) * length] == pattern:
        count += 1
    return count * length if count >= FEWEST and length > 2 else 0


def _mark(item: Item) -> Any:
    """Return what items of a pattern must have in common; None for a region, which is a pattern of its own."""
    return None if isinstance(item, Region) else signature(item)
