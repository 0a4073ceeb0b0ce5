"""Reshapes that merge neighbouring axes or take one apart, such as a detector's channels into boxes and their numbers.

What is no image keeps the axes of the graph in the graph's order, in every framework.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.order import ancestors
from attn_core.porting.network.steps.axes import Axes, image_axes, unpermuted
from attn_core.porting.network.steps.lift import Lifter, Unsupported
from attn_core.porting.network.steps.observed import SIZES, OpenSizes, Sizes
from attn_core.porting.network.steps.steps import Value

OPEN = -1  # a size that follows the image's, and from the sizes beside it
KIND = "reshape"


class Part(NamedTuple):
    """Neighbouring axes of an array, which become others: `before` of them, and the sizes of those afterwards.

    A size is a number, `OPEN`, or a letter and a place: that of an axis of another image.
    """

    before: int
    sizes: tuple[int | str, ...]


def regrouped(lifter: Lifter, node: Node, x: Value, before: Sequence[Sizes], after: Sequence[Sizes]) -> Value | None:
    """Lift a reshape by the shapes in all runs; None if it is not one of neighbours that leaves images apart."""
    found = _parts(before, after)
    if found is None or found[0] != ([0], [0]):
        return None
    parts: list[Part] = []
    others = _Others(lifter, node, x)
    for old, new in found[1:]:
        sizes = others.sizes([tuple(shape[place] for shape in after) for place in new])
        if sizes is None:
            return None
        parts.append(Part(len(old), sizes))
    if all(part.before == len(part.sizes) == 1 for part in parts):
        return x
    rank = len(after[0])
    axes = image_axes(lifter.graph, Ref(node.name), rank) if lifter.is_image(rank) else unpermuted(rank)
    fields: dict[str, Any] = {"of": x.axes, "parts": tuple(parts), "axes": axes}
    if others.like is not None:
        fields["like"] = others.like.rank
    inputs = (x,) if others.like is None else (x, others.like)
    return lifter.add(node, KIND, inputs, fields, axes)


def by_shapes(lifter: Lifter, node: Node, x: Value) -> Value:
    """Lift what changes the axes of its input and nothing else. **Raises** `Unsupported`."""
    before, after = lifter.observed.shapes[node.inputs[0]], lifter.observed.shapes[Ref(node.name)]
    value = regrouped(lifter, node, x, before, after)
    if value is None:
        shapes = " and ".join(f"{list(old)} to {list(new)}" for old, new in zip(before, after, strict=True))
        raise Unsupported(f"it reshapes {shapes}, which mixes images, or gives sizes that no image here has")
    return value


def noted(lifter: Lifter, value: Value, **fields: object) -> Value:
    """Note at a reshape what a rule after it will look for."""
    step = lifter.steps[value.step]
    lifter.steps[value.step] = replace(step, fields={**step.fields, **fields})
    return value


def _parts(before: Sequence[Sizes], after: Sequence[Sizes]) -> list[tuple[list[int], list[int]]] | None:
    """Return which axes become which, each part as small as can be; None if that differs from run to run."""
    found: list[tuple[list[int], list[int]]] = []
    olds, news = list(zip(*before, strict=True)), list(zip(*after, strict=True))
    old = new = 0
    while old < len(olds) and new < len(news):
        part = [old], [new]
        left, right = olds[old], news[new]
        while left != right:
            if all(a <= b for a, b in zip(left, right, strict=True)) and old + 1 < len(olds):
                old += 1
                part[0].append(old)
                left = _times(left, olds[old])
            elif all(a >= b for a, b in zip(left, right, strict=True)) and new + 1 < len(news):
                new += 1
                part[1].append(new)
                right = _times(right, news[new])
            else:
                return None
        found.append(part)
        old, new = old + 1, new + 1
    if any(set(each) != {1} for each in (*olds[old:], *news[new:])) or not found:
        return None
    found[-1][0].extend(range(old, len(olds)))  # axes of one at the end
    found[-1][1].extend(range(new, len(news)))
    return found


def _times(left: Sizes, right: Sizes) -> Sizes:
    return tuple(a * b for a, b in zip(left, right, strict=True))


class _Others:
    """Finds whose sizes those are that a part of a reshape does not tell: all of one other image."""

    def __init__(self, lifter: Lifter, node: Node, x: Value) -> None:
        self.lifter, self.node, self.x = lifter, node, x
        self.like: Value | None = None

    def sizes(self, wanted: list[Sizes]) -> tuple[int | str, ...] | None:
        """Return the sizes of a part, each from its size in all runs."""
        known: OpenSizes = tuple(runs[0] if len(set(runs)) == 1 else None for runs in wanted)
        if known.count(None) < 2:
            return tuple(OPEN if size is None else size for size in known)
        open_sizes = [runs for runs, size in zip(wanted, known, strict=True) if size is None]
        for like in self._images():
            places = self._found(like, open_sizes)
            if places and self.like in (None, self.lifter.values[like]):
                self.like = self.lifter.values[like]
                return tuple(f"y{next(places)}" if size is None else size for size in known)
        return None

    def _images(self) -> Iterator[Ref]:
        """Yield the arrays whose shapes the new shape is computed from."""
        graph = self.lifter.graph
        asked = (graph.nodes[name] for name in sorted(ancestors(graph, [ref.node for ref in self.node.inputs[1:]])))
        for ref in (ref for node in asked if node.op in SIZES for ref in node.inputs):
            if ref in self.lifter.values and self.lifter.values[ref] != self.x:
                yield ref

    def _found(self, like: Ref, wanted: list[Sizes]) -> Iterator[int] | None:
        """Return the canonical axes of an array that have these sizes, in order."""
        axes: Axes = self.lifter.values[like].axes
        sizes = list(zip(*self.lifter.observed.shapes[like], strict=True))
        places, start = [], 1
        for runs in wanted:
            if runs not in sizes[start:]:
                return None
            start = sizes.index(runs, start) + 1
            places.append(axes[start - 1])
        return iter(places)
