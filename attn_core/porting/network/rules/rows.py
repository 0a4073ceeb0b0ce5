"""Arrays that become rows, all places of all images one after the other, and arrays again.

Programs do so for operations that TensorFlow 1 had for matrices alone: a softmax, a dense layer. Here these go along
the last axis of whatever they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.pointwise import UNARY
from attn_core.porting.network.rules.regrouping import regrouped
from attn_core.porting.network.steps.axes import VECTOR, Axes
from attn_core.porting.network.steps.beside import beside
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Step, Value

KIND = "rows"
_ALONG_ROWS = ("softmax", "log_softmax", "dense")
_OF_EACH = (*UNARY.values(), "leaky_relu", "clip")


def made_rows(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift what makes rows; None if that is not what a reshape does."""
    before, after = lifter.observed.shapes[node.inputs[0]], lifter.observed.shapes[Ref(node.name)]
    if len(before[0]) <= len(VECTOR) or len(after[0]) != len(VECTOR):
        return None
    shapes = []
    for old, rows in zip(before, after, strict=True):
        shape = _shape_of_rows(old, rows)
        if shape is None:
            return None
        shapes.append(shape)
    first = shapes[0]
    if any(len(shape) != len(first) for shape in shapes):
        return None
    whole: Value | None = x
    if len(first) > len(before[0]):
        whole = regrouped(lifter, beside(node, "apart"), x, before, shapes)
    if whole is None:
        return None
    fields = {"whole": whole.axes, "shapes": shapes}
    return lifter.add(node, KIND, (whole,), fields, VECTOR)


def _shape_of_rows(shape: Sizes, rows: Sizes) -> Sizes | None:
    """Return the shape of an array whose last axis is a row; None if the rows are none of all places."""
    count, length = rows
    *places, last = shape
    if last % length or prod(shape) != count * length:
        return None
    # One row for each image is a vector.
    if count == shape[0]:
        return None
    # A last axis may be of several rows: the scores of all anchors of a place.
    if last != length:
        places.append(last // length)
    return (*places, length)


def from_rows(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift what was done to rows at the reshape that ends it, as done to what they were; None if it was other."""
    chain = _chain(lifter, x)
    if not chain:
        return None
    rows, *done = chain
    (source,) = rows.inputs
    axes, shapes = rows.fields["whole"], rows.fields["shapes"]
    # A dense layer at each place of an image is a convolution.
    if lifter.is_image(len(axes)) and any(step.kind == "dense" for step in done):
        return None
    for step in done:
        name = f"{step.name}:whole"
        fields = _of_whole(step.fields, axes)
        lifter.steps[name] = replace(step, name=name, inputs=(source,), fields=fields)
        source = name
        if step.kind == "dense":
            outputs = step.fields["outputs"]
            shapes = [(*shape[:-1], outputs) for shape in shapes]
    after = lifter.observed.shapes[Ref(node.name)]
    return regrouped(lifter, node, Value(source, axes), shapes, after)


def _chain(lifter: Lifter, x: Value) -> list[Step]:
    """Return the step that made rows and those that followed, in order; none if another is among them."""
    chain: list[Step] = []
    step = lifter.steps.get(x.step)
    while step is not None:
        chain.append(step)
        if step.kind == KIND:
            return chain[::-1]
        if step.kind not in (*_ALONG_ROWS, *_OF_EACH) or len(step.inputs) != 1:
            return []
        step = lifter.steps.get(step.inputs[0])
    return []


def _of_whole(fields: Mapping[str, Any], axes: Axes) -> Mapping[str, Any]:
    """Return the fields of a step that goes along the last of these axes, and no longer along rows."""
    if "axis" not in fields:
        return fields
    return {**fields, "axis": axes[-1], "rank": len(axes)}
