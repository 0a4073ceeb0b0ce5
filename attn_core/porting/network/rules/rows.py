"""Arrays that become rows, all places of all images one after the other, and arrays again.

Programs do so for operations that TensorFlow 1 had for matrices alone: a softmax, a dense layer. Here these go along
the last axis of whatever they are given.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.pointwise import UNARY
from attn_core.porting.network.rules.regrouping import regrouped
from attn_core.porting.network.steps.axes import VECTOR
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Step, Value

KIND = "rows"
_ALONG_ROWS = ("softmax", "log_softmax", "dense")
_OF_EACH = (*UNARY.values(), "leaky_relu", "clip")


def made_rows(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift what makes rows; None if that is not what a reshape does."""
    before, after = lifter.observed.shapes[node.inputs[0]], lifter.observed.shapes[Ref(node.name)]
    if len(before[0]) <= len(VECTOR) or len(after[0]) != len(VECTOR):
        return None
    # A last axis may be of several rows: the scores of all anchors of a place.
    shapes = []
    for old, (count, length) in zip(before, after, strict=True):
        if old[-1] % length or prod(old) != count * length or count == old[0]:
            return None
        more = () if old[-1] == length else (old[-1] // length,)
        shapes.append((*old[:-1], *more, length))
    if len({len(shape) for shape in shapes}) > 1:
        return None
    whole = x
    if len(shapes[0]) > len(before[0]):
        apart = Node(f"{node.name}:apart", node.op, node.inputs, node.attributes)
        found = regrouped(lifter, apart, x, before, shapes)
        if found is None:
            return None
        whole = found
    return lifter.add(node, KIND, (whole,), {"whole": whole.axes, "shapes": shapes}, VECTOR)


def from_rows(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Lift what was done to rows at the reshape that ends it, as done to what they were; None if it was other."""
    chain: list[Step] = []
    step = lifter.steps.get(x.step)
    while step is not None and step.kind != KIND:
        if step.kind not in (*_ALONG_ROWS, *_OF_EACH) or len(step.inputs) != 1:
            return None
        chain.append(step)
        step = lifter.steps.get(step.inputs[0])
    if step is None:
        return None
    (source,) = step.inputs
    axes, shapes = step.fields["whole"], step.fields["shapes"]
    if lifter.is_image(len(axes)) and any(each.kind == "dense" for each in chain):
        return None  # of an image, that is a convolution
    for each in reversed(chain):
        name = f"{each.name}:whole"
        fields = {**each.fields, "axis": axes[-1], "rank": len(axes)} if "axis" in each.fields else each.fields
        lifter.steps[name] = replace(each, name=name, inputs=(source,), fields=fields)
        source = name
        if each.kind == "dense":
            shapes = [(*shape[:-1], each.fields["outputs"]) for shape in shapes]
    return regrouped(lifter, node, Value(source, axes), shapes, lifter.observed.shapes[Ref(node.name)])
