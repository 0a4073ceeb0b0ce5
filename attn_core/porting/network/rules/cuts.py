"""Cutting a piece out of an array, along any of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.axes import BATCH, CHANNELS
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Value


class Cut(NamedTuple):
    """A slice of one axis, None for what need not be said."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


WHOLE = Cut()


def cut_out(lifter: Lifter, node: Node, x: Value, stated: Sequence[Cut]) -> Value:
    """Lift cuts, one for each axis in the graph's order."""
    cuts = list(stated)
    missing = x.rank - len(cuts)
    cuts += [WHOLE] * missing  # an index may leave out the last axes
    if all(cut == WHOLE for cut in cuts):
        return x
    canonical = x.axes.canonical(cuts)
    piece = _of_channels(lifter, node, x, canonical)
    return piece or lifter.add(node, "cut", (x,), {"cuts": canonical})


def _of_channels(lifter: Lifter, node: Node, x: Value, cuts: Sequence[Cut]) -> Value | None:
    """Lift a cut of channels alone as a slice, of which several may make the groups of a convolution."""
    if not lifter.is_image(x.rank):
        return None
    others = {cuts[axis] for axis in (BATCH, *x.axes.space)}
    if others != {WHOLE}:
        return None
    cut = cuts[CHANNELS]
    shape = lifter.shape(node.inputs[0])
    whole = x.axes.entry(shape, CHANNELS)
    if whole is None or cut.step is not None:
        return None
    start = cut.start or 0
    # A slice says its places from the start; an index may count them from the end.
    if cut.stop is not None and not 0 <= start < cut.stop <= whole:
        return None
    stop = cut.stop or whole
    fields = {"axis": CHANNELS, "rank": x.rank, "start": start, "stop": stop, "size": whole}
    return lifter.add(node, "slice", (x,), fields)
