"""The modules of a network: the scopes that its author gave it, then branches and repetitions inside of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.branches import branches
from attn_core.porting.write.region import Item, Region, Span
from attn_core.porting.write.repeats import repeats

Scope = tuple[str, ...]
Scopes = Mapping[str, Scope]  # by the steps' names


def structured(steps: Sequence[Step], source: str, result: str) -> Region:
    """Return the whole network as a region of regions."""
    paths = [step.path for step in steps if step.is_layer]
    around = _common([_parents(path) for path in paths])
    scopes = {step.name: _scope(step, set(paths), around) for step in steps}
    return _region(Span(source, steps, result), around, scopes, is_named=False)


# ---- the author's scopes ---------------------------------------------------------------------------------------------


def _parents(path: str) -> list[str]:
    return path.split("/")[:-1]


def _common(scopes: list[list[str]]) -> Scope:
    """Return the scope around all layers."""
    found = []
    for names in zip(*scopes, strict=False):
        if len(set(names)) > 1:
            break
        found.append(names[0])
    return tuple(found)


def _scope(step: Step, layers: set[str], around: Scope) -> Scope:
    """Return the scopes around a step; a layer's own name is none."""
    # A layer is called after its variables: the node of its result may have a name of TensorFlow's own.
    scope = tuple(_parents(step.path if step.is_layer else step.name))
    # What a layer's scope holds beside it, such as its activation conv1/Relu, stands next to the layer.
    while scope and "/".join(scope) in layers:
        scope = scope[:-1]
    # A scope that was entered again stands twice in the names of nodes: net/net/conv1.
    while around and scope[len(around) : 2 * len(around)] == around:
        scope = scope[len(around) :]
    is_inside = scope[: len(around)] == around
    return scope if is_inside else around


# ---- regions ---------------------------------------------------------------------------------------------------------


def _region(span: Span[Step], scope: Scope, scopes: Scopes, is_named: bool = True) -> Region:
    """Return the region of a scope."""
    text = "/".join(scope)
    scoped = list(_by_scope(span.items, span, len(scope), scopes))
    items = list(branches(Span(span.source, scoped, span.result), text))
    # Where one fork is all there is, the author's scope is the module already.
    if is_named and _count_regions(items) == 1:
        items = scoped
    items = list(repeats(Span(span.source, items, span.result), text))
    match items:
        case [Region() as only]:
            return replace(only, scope=text, title=only.title or text)
    return Region(tuple(items), span.source, span.result, text, text, text)


def _count_regions(items: Iterable[Item]) -> int:
    return sum(isinstance(item, Region) for item in items)


def _by_scope(steps: Iterable[Step], whole: Span[Step], depth: int, scopes: Scopes) -> Iterable[Item]:
    """Yield a region for each scope that has one input and one result; of another scope, those inside of it."""
    for inner, group in groupby(steps, lambda step: scopes[step.name][: depth + 1]):
        run = list(group)
        is_inside = len(inner) > depth
        if not is_inside or not _worth(run):
            yield from run
            continue
        span = _span(run, whole)
        if span is None:
            yield from _by_scope(run, whole, depth + 1, scopes)
        else:
            yield _region(span, inner, scopes)


def _worth(run: Sequence[Step]) -> bool:
    """Whether steps are more than one layer with its norm and activation."""
    layers = sum(step.kind in ("conv", "depthwise", "transposed", "dense", "attention") for step in run)
    is_joint = any(len(step.inputs) > 1 for step in run)
    return layers > 1 or (layers == 1 and is_joint)


def _span(run: Sequence[Step], whole: Span[Step]) -> Span[Step] | None:
    """Return a run of steps with what goes in and what comes out, if each is one value."""
    inside = {step.name for step in run}
    outside = [step for step in whole.items if step.name not in inside]
    incoming = _read_by(run) - inside
    outgoing = inside & (_read_by(outside) | {whole.result})
    if len(incoming) != 1 or len(outgoing) != 1:
        return None
    return Span(incoming.pop(), run, outgoing.pop())


def _read_by(steps: Iterable[Step]) -> set[str]:
    return {name for step in steps for name in step.inputs}
