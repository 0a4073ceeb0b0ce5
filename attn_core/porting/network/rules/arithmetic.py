"""Sums, products and so on of an image with another, with weights, or with a plain number."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.bias import add_bias
from attn_core.porting.network.rules.cbam import gated
from attn_core.porting.network.rules.hard import hard, hard_swish
from attn_core.porting.network.rules.norms import unfused
from attn_core.porting.network.rules.numbers import NUMBER, shortest
from attn_core.porting.network.rules.places import constant, of_one_image, placed
from attn_core.porting.network.steps.axes import Axes
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array, Leaf, Turn, Value
from attn_core.porting.network.steps.weights import then

BINARY = {
    "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide", "Div": "divide", "Maximum": "maximum",
    "Minimum": "minimum", "Pow": "power", "SquaredDifference": "squared_difference",
}  # fmt: skip
WEIGHT = "{weight}"  # where an array of weights stands among the inputs


def _sum(lifter: Lifter, node: Node) -> Value:
    """Lift an addition: a bias, the end of a batch normalisation, or a sum."""
    for data, other in (node.inputs, node.inputs[::-1]):
        if lifter.is_data(data) and not lifter.is_data(other):
            norm = unfused(lifter, node, data, other)
            if norm is not None:
                return norm
            layer = add_bias(lifter, node, lifter.value(data), other)
            if layer is not None:
                return layer
    return _binary(lifter, node, "add")


def _binary(lifter: Lifter, node: Node, kind: str) -> Value:
    """Lift what is made of two images, or of one with weights or a number."""
    data = [ref for ref in node.inputs if lifter.is_data(ref) and not lifter.follows_sizes(ref)]
    if len(data) == 2:
        return _of_two(lifter, node, kind)
    x = lifter.value(data[0])
    other = next(ref for ref in node.inputs if ref != data[0])
    x_is_first = node.inputs[0] == data[0]
    if lifter.is_data(other):
        return _with_places(lifter, node, kind, x, x_is_first)
    if _is_plain_number(lifter, other):
        return _with_number(lifter, node, kind, x, lifter.number(other), x_is_first)
    operands = (0, WEIGHT) if x_is_first else (WEIGHT, 0)
    return _with_weights(lifter, node, kind, x, other, operands)


def _with_number(lifter: Lifter, node: Node, kind: str, x: Value, array: Array, x_is_first: bool) -> Value:
    number = shortest(float(array.reshape(())))
    found = hard(lifter, node, kind, x, number) if x_is_first or kind == "multiply" else None
    operands = (0, NUMBER) if x_is_first else (NUMBER, 0)
    return found or lifter.add(node, kind, (x,), {"operands": operands, "number": number})


def _with_places(lifter: Lifter, node: Node, kind: str, x: Value, x_is_first: bool) -> Value:
    """Lift what combines an image with numbers that follow its sizes."""
    data, other = node.inputs if x_is_first else node.inputs[::-1]
    runs = of_one_image(lifter.in_runs(other), x.rank)
    array = constant(runs)
    if array is None:
        places = placed(lifter, node, other, x, runs, lifter.observed.shapes[data])
        return lifter.add(node, kind, (x, places) if x_is_first else (places, x), {"operands": (0, 1)}, x.axes)
    if array.size == 1:
        return _with_number(lifter, node, kind, x, array, x_is_first)
    operands = (0, WEIGHT) if x_is_first else (WEIGHT, 0)
    return _of_leaf(lifter, node, kind, x, array.shape, Leaf(value=array, computed=other.node), operands)


def _is_plain_number(lifter: Lifter, ref: Ref) -> bool:
    """Whether something is one number of the program, and no weight, which would be a variable."""
    shape = lifter.constant_shape(ref)
    found = stored(lifter.graph, ref)
    return math.prod(shape) == 1 and (found is None or found.frozen)


def _with_weights(
    lifter: Lifter, node: Node, kind: str, x: Value, ref: Ref, operands: tuple[int | str, int | str]
) -> Value:
    return _of_leaf(lifter, node, kind, x, lifter.constant_shape(ref), lifter.leaf(ref), operands)


def _of_leaf(
    lifter: Lifter, node: Node, kind: str, x: Value, shape: Sizes, leaf: Leaf, operands: tuple[int | str, int | str]
) -> Value:
    is_image = lifter.is_image(x.rank)
    turn = partial(_against, shape=shape, axes=x.axes, is_image=is_image)
    weight = _turned(leaf, turn)
    laid = turn(np.empty(shape))  # for its shape: weights are not read before they are written
    fields = {"operands": operands, "shape": laid.shape, "image": is_image, "trained": _is_trained(weight)}
    path = weight.names[0] if weight.names else node.name
    return lifter.add(node, kind, (x,), fields, x.axes, {"weight": weight}, path)


def _turned(leaf: Leaf, turn: Turn) -> Leaf:
    if leaf.value is not None:
        return replace(leaf, value=np.ascontiguousarray(turn(leaf.value)))
    return replace(leaf, turn=then(leaf.turn, turn))


def _is_trained(weight: Leaf) -> bool:
    return bool(weight.parts) and not weight.parts[0].frozen


def _against(array: Array, shape: Sizes, axes: Axes, is_image: bool) -> Array:
    """Give an array that lies against the last axes of an image all canonical axes but the batch.

    Against what is no image, it may have less.
    """
    missing = len(axes) - len(shape)
    # Weights that differ from image to image of a batch would fit one batch only.
    if missing < 0 or (missing == 0 and shape[0] != 1):
        raise Unsupported(f"it combines an image with weights of shape {list(shape)}")
    ones = (1,) * missing
    full = array.reshape(ones + shape)
    found: Array = full.transpose(axes.places)[0]
    while not is_image and found.ndim > 1 and len(found) == 1:
        found = found[0]
    return found


def _of_two(lifter: Lifter, node: Node, kind: str) -> Value:
    first, second = (lifter.value(ref) for ref in node.inputs)
    if first.rank != second.rank:
        raise Unsupported(f"it combines values of {first.rank} and {second.rank} axes")
    second = lifter.laid(second, first.axes)
    if kind == "multiply":
        # Either factor may be the gate.
        for x, gate in ((first, second), (second, first)):
            found = _swish(lifter, node, x, gate) or hard_swish(lifter, node, x, gate) or gated(lifter, node, x, gate)
            if found is not None:
                return found
    return lifter.add(node, kind, (first, second), {"operands": (0, 1)})


def _swish(lifter: Lifter, node: Node, x: Value, gate: Value) -> Value | None:
    """Lift x times its own sigmoid; None if the gate is of something else."""
    sigmoid = lifter.step_of(gate, "sigmoid")
    if sigmoid is None or sigmoid.inputs != (x.step,):
        return None
    return lifter.add(node, "silu", (x,))


def _reciprocal(lifter: Lifter, node: Node) -> Value:
    return lifter.add(node, "divide", (lifter.input(node),), {"operands": (NUMBER, 0), "number": 1.0})


def _add_n(lifter: Lifter, node: Node) -> Value:
    values = [lifter.value(ref) for ref in node.inputs]
    axes = values[0].axes
    laid = tuple(lifter.laid(value, axes) for value in values)
    return lifter.add(node, "add", laid, {"operands": tuple(range(len(laid)))})


RULES: dict[str, Rule] = {
    **{op: partial(_binary, kind=kind) for op, kind in BINARY.items()},
    "Add": _sum,
    "AddV2": _sum,
    "BiasAdd": _sum,
    "AddN": _add_n,
    "Reciprocal": _reciprocal,
    "Inv": _reciprocal,
}
