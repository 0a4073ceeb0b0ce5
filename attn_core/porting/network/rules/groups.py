"""Convolutions with groups, as TensorFlow 1 writes them: an image cut up, a convolution each, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.layers import scope
from attn_core.porting.network.steps.axes import CHANNELS
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Leaf, Step, Value


class _Piece(NamedTuple):
    """Where a slice starts and stops, and of how much."""

    start: int
    stop: int
    whole: int


def grouped(lifter: Lifter, node: Node, pieces: Sequence[Value]) -> Value | None:
    """Turn convolutions of slices, put one after the other, into one convolution with groups."""
    count = len(pieces)
    found = [lifter.step_of(piece, "conv") for piece in pieces]
    convs = [conv for conv in found if conv is not None]
    if count < 2 or len(convs) != count or not _alike(convs):
        return None
    source = _cut_up(lifter, convs)
    leaves = [leaf for conv in convs for leaf in conv.arrays.values()]
    # What the graph computes has no parts to be put in a row.
    if source is None or not all(leaf.parts for leaf in leaves):
        return None
    first = convs[0]
    arrays = {name: _in_a_row(convs, name) for name in first.arrays}
    sizes = {name: first.fields[name] * count for name in ("inputs", "outputs")}
    fields = {**first.fields, **sizes, "groups": count}
    lifter.steps[node.name] = Step(node.name, "conv", (source,), fields, arrays, scope(first.path))
    return Value(node.name, pieces[0].axes)


def _alike(convs: Sequence[Step]) -> bool:
    """Whether these differ in nothing but their weights, and have no groups themselves."""
    first = convs[0].fields
    if first["groups"] != 1:
        return False
    return all(conv.fields == first for conv in convs)


def _in_a_row(convs: Sequence[Step], name: str) -> Leaf:
    """Return an array that is made of those of all groups."""
    leaves = [conv.arrays[name] for conv in convs]
    parts = [part for leaf in leaves for part in leaf.parts]
    return Leaf(tuple(parts), leaves[0].turn)


def _cut_up(lifter: Lifter, convs: Sequence[Step]) -> str | None:
    """Return the step whose result was cut into what these read: all of its channels, in order."""
    found = [lifter.steps.get(conv.inputs[0]) for conv in convs]
    slices = [step for step in found if step is not None and _cuts_channels(step)]
    sources = {step.inputs for step in slices}
    if len(slices) != len(convs) or len(sources) != 1:
        return None
    pieces = [_piece(step.fields) for step in slices]
    # In another order the channels would be shuffled.
    end = 0
    for piece in pieces:
        if piece.start != end:
            return None
        end = piece.stop
    if end != pieces[-1].whole:
        return None
    return slices[0].inputs[0]


def _cuts_channels(step: Step) -> bool:
    return step.kind == "slice" and step.fields["axis"] == CHANNELS


def _piece(fields: Mapping[str, Any]) -> _Piece:
    if "part" in fields:  # of parts that are equally large
        return _Piece(fields["part"], fields["part"] + 1, fields["parts"])
    return _Piece(fields["start"], fields["stop"], fields["size"])
