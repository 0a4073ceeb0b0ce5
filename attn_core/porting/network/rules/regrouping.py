"""Reshapes that merge neighbouring axes or take one apart, such as a detector's channels into boxes and their numbers.

What is no image keeps the axes of the graph in the graph's order, in every framework.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.order import ancestors
from attn_core.porting.network.steps.axes import Axes, image_axes, unpermuted
from attn_core.porting.network.steps.lift import Lifter, Unsupported
from attn_core.porting.network.steps.observed import SIZES, Sizes, same_in_all
from attn_core.porting.network.steps.steps import Value

OPEN = -1  # a size that follows the image's, and from the sizes beside it
KIND = "reshape"


class Part(NamedTuple):
    """Neighbouring axes of an array, which become others: `before` of them, and the sizes of those afterwards.

    A size is a number, `OPEN`, or a letter and a place: that of an axis of another image.
    """

    before: int
    sizes: tuple[int | str, ...]

    @property
    def is_one_axis(self) -> bool:
        """Whether the axis is the same before and after."""
        return self.before == 1 and len(self.sizes) == 1


def regrouped(lifter: Lifter, node: Node, x: Value, before: Sequence[Sizes], after: Sequence[Sizes]) -> Value | None:
    """Lift a reshape by the shapes in all runs; None if it is not one of neighbours that leaves images apart."""
    found = _groups(before, after)
    if found is None:
        return None
    images, *groups = found
    if len(images.old) != 1 or len(images.new) != 1:
        return None
    others = _Others(lifter, node, x)
    parts: list[Part] = []
    for group in groups:
        sizes = others.sizes(group.new)
        if sizes is None:
            return None
        parts.append(Part(len(group.old), sizes))
    if all(part.is_one_axis for part in parts):
        return x
    axes = _axes(lifter, node, len(after[0]))
    fields: dict[str, Any] = {"of": x.axes, "parts": tuple(parts), "axes": axes}
    if others.like is None:
        return lifter.add(node, KIND, (x,), fields, axes)
    fields["like"] = others.like.rank
    return lifter.add(node, KIND, (x, others.like), fields, axes)


def _axes(lifter: Lifter, node: Node, rank: int) -> Axes:
    """Return the axes of the result: of an image the first layer that reads it tells them."""
    if lifter.is_image(rank):
        return image_axes(lifter.graph, Ref(node.name), rank)
    return unpermuted(rank)


def by_shapes(lifter: Lifter, node: Node, x: Value) -> Value:
    """Lift what changes the axes of its input and nothing else. **Raises** `Unsupported`."""
    before, after = lifter.observed.shapes[node.inputs[0]], lifter.observed.shapes[Ref(node.name)]
    value = regrouped(lifter, node, x, before, after)
    if value is None:
        runs = zip(before, after, strict=True)
        shapes = " and ".join(f"{list(old)} to {list(new)}" for old, new in runs)
        raise Unsupported(f"it reshapes {shapes}, which mixes images, or gives sizes that no image here has")
    return value


def noted(lifter: Lifter, value: Value, **fields: object) -> Value:
    """Note at a reshape what a rule after it will look for."""
    step = lifter.steps[value.step]
    lifter.steps[value.step] = replace(step, fields={**step.fields, **fields})
    return value


# ---- which axes become which -----------------------------------------------------------------------------------------


class _Group(NamedTuple):
    """Neighbouring axes that become others, of each its sizes in all runs."""

    old: list[Sizes]
    new: list[Sizes]


def _groups(before: Sequence[Sizes], after: Sequence[Sizes]) -> list[_Group] | None:
    """Return which axes become which, each group as small as can be; None if that differs from run to run."""
    olds = deque(zip(*before, strict=True))
    news = deque(zip(*after, strict=True))
    found: list[_Group] = []
    while olds and news:
        group = _first_group(olds, news)
        if group is None:
            return None
        found.append(group)
    left_are_ones = all(set(runs) == {1} for runs in (*olds, *news))
    if not found or not left_are_ones:
        return None
    # Axes of one at the end change no number of the last group.
    last = found[-1]
    last.old.extend(olds)
    last.new.extend(news)
    return found


def _first_group(olds: deque[Sizes], news: deque[Sizes]) -> _Group | None:
    """Take the fewest axes that hold as many numbers before as after; None if there are none."""
    old, new = olds.popleft(), news.popleft()
    group = _Group([old], [new])
    while old != new:
        # The side that holds fewer numbers in every run takes its next axis.
        if olds and _is_within(old, new):
            more = olds.popleft()
            group.old.append(more)
            old = _times(old, more)
        elif news and _is_within(new, old):
            more = news.popleft()
            group.new.append(more)
            new = _times(new, more)
        else:
            return None
    return group


def _is_within(left: Sizes, right: Sizes) -> bool:
    return all(a <= b for a, b in zip(left, right, strict=True))


def _times(left: Sizes, right: Sizes) -> Sizes:
    return tuple(a * b for a, b in zip(left, right, strict=True))


# ---- sizes of another image ------------------------------------------------------------------------------------------


class _Others:
    """Finds whose sizes those are that a part of a reshape does not tell: all of one other image."""

    def __init__(self, lifter: Lifter, node: Node, x: Value) -> None:
        self.lifter, self.node, self.x = lifter, node, x
        self.like: Value | None = None

    def sizes(self, wanted: list[Sizes]) -> tuple[int | str, ...] | None:
        """Return the sizes of a part, each from its size in all runs."""
        known = [same_in_all(runs) for runs in wanted]
        # A single one is told by the sizes beside it.
        if known.count(None) < 2:
            return tuple(OPEN if size is None else size for size in known)
        open_sizes = [runs for runs, size in zip(wanted, known, strict=True) if size is None]
        names = self._names(open_sizes)
        if names is None:
            return None
        return tuple(next(names) if size is None else size for size in known)

    def _names(self, open_sizes: list[Sizes]) -> Iterator[str] | None:
        """Return letter and place of axes of another image with these sizes; None if no image has them."""
        for ref in self._images():
            places = self._found(ref, open_sizes)
            value = self.lifter.values[ref]
            is_asked = self.like in (None, value)  # a step reads the sizes of one image only
            if places is not None and is_asked:
                self.like = value
                return (f"y{place}" for place in places)
        return None

    def _images(self) -> Iterator[Ref]:
        """Yield the arrays whose shapes the new shape is computed from."""
        graph, values = self.lifter.graph, self.lifter.values
        sources = [ref.node for ref in self.node.inputs[1:]]
        for name in sorted(ancestors(graph, sources)):
            node = graph.nodes[name]
            if node.op not in SIZES:
                continue
            for ref in node.inputs:
                if ref in values and values[ref] != self.x:
                    yield ref

    def _found(self, like: Ref, wanted: list[Sizes]) -> list[int] | None:
        """Return the canonical axes of an array that have these sizes, in order."""
        axes = self.lifter.values[like].axes
        runs = self.lifter.observed.shapes[like]
        sizes = list(zip(*runs, strict=True))
        places = []
        start = 1  # behind the axis of the images
        for size in wanted:
            if size not in sizes[start:]:
                return None
            place = sizes.index(size, start)
            places.append(axes[place])
            start = place + 1
        return places
