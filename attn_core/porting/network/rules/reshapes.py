"""Reshaping: what it means shows in the shapes before and after, in both runs of the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.group_norm import OF_A_GROUP, group_norm
from attn_core.porting.network.rules.pixels import one_by_one
from attn_core.porting.network.rules.regrouping import by_shapes, noted
from attn_core.porting.network.rules.rows import from_rows, made_rows
from attn_core.porting.network.rules.shuffle import shuffled
from attn_core.porting.network.rules.signals import expanded
from attn_core.porting.network.steps.axes import (
    CHANNELS,
    LEAST,
    NCHW,
    NHWC,
    VECTOR,
    channels_last,
    image_axes,
    unpermuted,
)
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import RUNS, Sizes
from attn_core.porting.network.steps.steps import Value


class _Change(NamedTuple):
    """What a reshape did to the shape in one run."""

    before: Sizes
    after: Sizes

    @property
    def ranks(self) -> tuple[int, int]:
        """The numbers of axes before and after."""
        return len(self.before), len(self.after)

    @property
    def keeps_batch(self) -> bool:
        """Whether the images stay apart."""
        return self.before[0] == self.after[0]

    def starts_flat(self) -> bool:
        """Whether vectors or rows are reshaped."""
        return len(self.before) == 2

    def is_none(self) -> bool:
        """Whether the shape stayed what it was."""
        return self.before == self.after

    def flattens(self) -> bool:
        """Whether each image became a vector."""
        before, after = self.ranks
        if after != 2 or before <= 2:
            return False
        _, *sizes = self.before
        return self.keeps_batch and math.prod(sizes) == self.after[1]

    def unflattens(self) -> bool:
        """Whether each vector became an image."""
        before, after = self.ranks
        if before != 2 or after < LEAST:
            return False
        _, *sizes = self.after
        return self.keeps_batch and math.prod(sizes) == self.before[1]

    def makes_pixel(self) -> bool:
        """Whether each vector became an image of one pixel."""
        if not self.unflattens():
            return False
        *others, _ = sorted(self.after[1:])
        return set(others) == {1}

    def adds_channel(self) -> bool:
        """Whether images without an axis for their one channel get it."""
        return self.ranks == (LEAST, LEAST + 1) and self.after == (*self.before, 1)

    def groups_channels(self, place: int) -> bool:
        """Whether the axis at a place became two."""
        if self.ranks != (4, 5):
            return False
        groups, each = self.after[place : place + 2]
        together = (groups * each,)
        # Merged again, the two are the axis that was there.
        return self.before == self.after[:place] + together + self.after[place + 2 :]


def _reshape(lifter: Lifter, node: Node) -> Value:
    """Lift a reshape.

    What it may be: nothing at all, an image or rows flattened to vectors, a vector made an image of one pixel, part of
    a channel shuffle.
    """
    x = lifter.input(node)
    changes = _changes(lifter, node)
    if _in_both(changes, _Change.is_none):
        return x
    if (shuffle := shuffled(lifter, node, x)) is not None:
        return shuffle
    if (norm := group_norm(lifter, node, x)) is not None:
        return norm
    if (parts := _groups(lifter, node, x, changes)) is not None:
        return parts
    before, after = changes[0]
    becomes_image = lifter.is_image(len(after))
    # Before rows: one pixel that becomes a vector has become a row as well.
    if _in_both(changes, _Change.flattens):
        return _flatten(lifter, node, x, before)
    if (rows := made_rows(lifter, node, x)) is not None:
        return rows
    # One pixel that went through a dense layer comes back in the same way in which a vector becomes a pixel.
    if becomes_image and _in_both(changes, _Change.makes_pixel):
        return one_by_one(lifter, node, x) or _to_pixel(lifter, node, x, after)
    if becomes_image and _in_both(changes, _Change.unflattens) and _same_sizes(changes):
        return _unflatten(lifter, node, x, after)
    if _in_both(changes, _Change.starts_flat):
        # Rows are what pixels or other places became, for the layers in between.
        again = one_by_one(lifter, node, x) or from_rows(lifter, node, x)
        if again is not None:
            return again
    if _in_both(changes, _Change.adds_channel) and _is_without_channels(lifter, x):
        return expanded(lifter, node.name, x, CHANNELS, NHWC, for_one_layer=False)
    return by_shapes(lifter, node, x)


def _is_without_channels(lifter: Lifter, x: Value) -> bool:
    """Whether a value is images that have no axis for their one channel, and no signals."""
    return lifter.rank == len(NHWC) and x.axes == unpermuted(LEAST)


def _groups(lifter: Lifter, node: Node, x: Value, changes: Sequence[_Change]) -> Value | None:
    """Put channels into groups; None if that is not what a reshape does."""
    if x.axes not in (NHWC, NCHW):
        return None
    place = x.axes.index(CHANNELS)
    if not all(change.groups_channels(place) for change in changes):
        return None
    parts = by_shapes(lifter, node, x)
    return noted(lifter, parts, groups=changes[0].after[place], within=OF_A_GROUP[x.axes])


def _in_both(changes: Sequence[_Change], is_so: Callable[[_Change], bool]) -> bool:
    """Whether something holds in both runs; in one alone the sizes may happen to fit."""
    return all(map(is_so, changes))


def _changes(lifter: Lifter, node: Node) -> list[_Change]:
    before = lifter.observed.shapes[node.inputs[0]]
    after = lifter.observed.shapes[Ref(node.name)]
    return [_Change(before[run], after[run]) for run in range(RUNS)]


def _same_sizes(changes: Sequence[_Change]) -> bool:
    """Whether the shapes afterwards are the same but for the batch."""
    return len({change.after[1:] for change in changes}) == 1


def _flatten(lifter: Lifter, node: Node, x: Value, shape: Sizes) -> Value:
    _, *sizes = shape
    # Numbers along a single axis follow each other alike in every layout; what is no image has one order only.
    free = not lifter.is_image(x.rank) or math.prod(sizes) == max(sizes)
    fields = {"axes": x.axes[1:], "sizes": tuple(sizes), "free": free, "whole": x.axes}
    return lifter.add(node, "flatten", (x,), fields, VECTOR)


def _to_pixel(lifter: Lifter, node: Node, x: Value, shape: Sizes) -> Value:
    _, *sizes = shape
    # A single number may be either; channels last is the usual layout.
    is_last = shape[-1] != 1 or max(sizes) == 1
    axes = channels_last(len(shape)) if is_last else unpermuted(len(shape))
    if axes.entry(shape, CHANNELS) == 1 and max(sizes) != 1:
        raise Unsupported("it turns channels into rows")
    return lifter.add(node, "to_image", (x,), {"rank": len(shape)}, axes)


def _unflatten(lifter: Lifter, node: Node, x: Value, shape: Sizes) -> Value:
    # The first layer that reads it tells what the numbers are.
    axes = image_axes(lifter.graph, Ref(node.name), len(shape))
    return lifter.add(node, "unflatten", (x,), {"axes": axes, "sizes": shape[1:]}, axes)


RULES: dict[str, Rule] = {"Reshape": _reshape}
