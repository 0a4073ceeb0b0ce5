"""Operations on each number: activations, and arithmetic with images, weights and plain numbers."""

from __future__ import annotations

from functools import partial

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.cbam import gated
from attn_core.porting.network.rules.layers import add_bias
from attn_core.porting.network.rules.norms import shortest, unfused
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Array, Value
from attn_core.porting.network.steps.trace import attribute

UNARY = {
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Selu": "selu",
    "Softplus": "softplus", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Square": "square",
    "Neg": "negative", "Abs": "abs", "Erf": "erf", "Softsign": "softsign", "Expm1": "expm1", "Log1p": "log1p",
    "Sin": "sin", "Cos": "cos", "Sign": "sign",
}  # fmt: skip
BINARY = {
    "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide", "Div": "divide", "Maximum": "maximum",
    "Minimum": "minimum", "Pow": "power", "SquaredDifference": "squared_difference",
}  # fmt: skip
NUMBER = "{number}"  # where a plain number stands among the inputs
WEIGHT = "{weight}"


def _unary(lifter: Lifter, node: Node, kind: str) -> Value:
    return lifter.add(node, kind, (lifter.value(node.inputs[0]),))


def _leaky(lifter: Lifter, node: Node) -> Value:
    slope = shortest(attribute(node, "alpha", 0.2))
    return lifter.add(node, "leaky_relu", (lifter.value(node.inputs[0]),), {"slope": slope})


def _softmax(lifter: Lifter, node: Node, kind: str) -> Value:
    x = lifter.value(node.inputs[0])
    return lifter.add(node, kind, (x,), {"axis": x.axes[-1]})


def _reciprocal(lifter: Lifter, node: Node) -> Value:
    return lifter.add(node, "divide", (lifter.value(node.inputs[0]),), {"operands": (NUMBER, 0), "number": 1.0})


def _sum(lifter: Lifter, node: Node) -> Value:
    """Lift an addition: a bias, the end of a batch normalisation, or a sum."""
    for data, other in (node.inputs, node.inputs[::-1]):
        if lifter.is_data(data) and not lifter.is_data(other):
            if (norm := unfused(lifter, node, data, other)) is not None:
                return norm
            if (layer := add_bias(lifter, node, lifter.value(data), other)) is not None:
                return layer
    return _binary(lifter, node, "add")


def _binary(lifter: Lifter, node: Node, kind: str) -> Value:
    """Lift a sum, product and so on of two images, or of one with weights or a number."""
    data = [ref for ref in node.inputs if lifter.is_data(ref)]
    if len(data) == 2:
        return _of_two(lifter, node, kind)
    x, other = lifter.value(data[0]), next(ref for ref in node.inputs if ref != data[0])
    first = node.inputs[0] == data[0]
    shape = lifter.trace.shapes[other][0]
    if int(np.prod(shape)) == 1 and _plain(lifter, other):
        number = shortest(float(lifter.number(other).reshape(())))
        operands = (0, NUMBER) if first else (NUMBER, 0)
        return lifter.add(node, kind, (x,), {"operands": operands, "number": number})
    leaf = lifter.leaf(other, partial(_against, shape=shape, axes=x.axes))
    trained = bool(leaf.parts) and not leaf.parts[0].frozen
    path = leaf.names[0] if leaf.names else node.name
    fields = {
        "operands": (0, WEIGHT) if first else (WEIGHT, 0),
        "shape": _against(np.empty(shape), shape, x.axes).shape,
        "trained": trained,
    }
    return lifter.add(node, kind, (x,), fields, x.axes, {"weight": leaf}, path)


def _plain(lifter: Lifter, ref: Ref) -> bool:
    """Whether something is a number of the program, and no weight."""
    found = stored(lifter.graph, ref)
    return found is None or found.frozen


def _against(array: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """Give an array that lies against the last axes of a value all canonical axes but the batch."""
    if len(shape) > len(axes) or (len(shape) == len(axes) and shape[0] != 1):
        raise Unsupported(f"it combines an image with weights of shape {list(shape)}")
    full = array.reshape((1,) * (len(axes) - len(shape)) + tuple(shape))
    order = [axes.index(axis) for axis in range(len(axes))]
    found: Array = full.transpose(order)[0]
    return found


def _of_two(lifter: Lifter, node: Node, kind: str) -> Value:
    first, second = (lifter.value(ref) for ref in node.inputs)
    if first.rank != second.rank:
        raise Unsupported(f"it combines values of {first.rank} and {second.rank} axes")
    second = lifter.laid(second, first.axes)
    if kind == "multiply":
        for x, gate in ((first, second), (second, first)):
            if (found := _swish(lifter, node, x, gate) or gated(lifter, node, x, gate)) is not None:
                return found
    return lifter.add(node, kind, (first, second), {"operands": (0, 1)})


def _swish(lifter: Lifter, node: Node, x: Value, gate: Value) -> Value | None:
    step = lifter.step_of(gate, "sigmoid")
    return lifter.add(node, "silu", (x,)) if step and step.inputs == (x.step,) else None


def _add_n(lifter: Lifter, node: Node) -> Value:
    values = [lifter.value(ref) for ref in node.inputs]
    values = [lifter.laid(value, values[0].axes) for value in values]
    return lifter.add(node, "add", tuple(values), {"operands": tuple(range(len(values)))})


def _cast(lifter: Lifter, node: Node) -> Value:
    """Lift a cast to another precision: nothing changes here, where all is float32."""
    if node.attributes["DstT"].type not in (1, 2, 14, 19):
        raise Unsupported("it rounds to integers")
    return lifter.value(node.inputs[0])


def _clip(lifter: Lifter, node: Node) -> Value:
    low, high = (shortest(float(lifter.number(ref))) for ref in node.inputs[1:])
    return lifter.add(node, "clip", (lifter.value(node.inputs[0]),), {"low": low, "high": high})


RULES: dict[str, Rule] = {
    **{op: partial(_unary, kind=kind) for op, kind in UNARY.items()},
    **{op: partial(_binary, kind=kind) for op, kind in BINARY.items()},
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), _sum),
    "AddN": _add_n,
    "Cast": _cast,
    "ClipByValue": _clip,
    "LeakyRelu": _leaky,
    "Softmax": partial(_softmax, kind="softmax"),
    "LogSoftmax": partial(_softmax, kind="log_softmax"),
    **dict.fromkeys(("Reciprocal", "Inv"), _reciprocal),
}
