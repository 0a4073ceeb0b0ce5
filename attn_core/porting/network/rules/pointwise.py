"""Operations on each number of one image: activations, precision, bounds."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.reads import FLOATS
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value

UNARY = {
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Selu": "selu",
    "Softplus": "softplus", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Square": "square",
    "Neg": "negative", "Abs": "abs", "Erf": "erf", "Softsign": "softsign", "Expm1": "expm1", "Log1p": "log1p",
    "Sin": "sin", "Cos": "cos", "Sign": "sign",
}  # fmt: skip


def _unary(lifter: Lifter, node: Node, kind: str) -> Value:
    return lifter.add(node, kind, (lifter.input(node),))


def _leaky(lifter: Lifter, node: Node) -> Value:
    slope = shortest(attribute(node, "alpha", 0.2))
    return lifter.add(node, "leaky_relu", (lifter.input(node),), {"slope": slope})


def _softmax(lifter: Lifter, node: Node, kind: str) -> Value:
    """Lift a softmax, which TensorFlow's operation takes over the last axis of its array."""
    x = lifter.input(node)
    return lifter.add(node, kind, (x,), {"axis": x.axes[-1], "rank": x.rank})


def _cast(lifter: Lifter, node: Node) -> Value:
    """Lift a cast to another precision: nothing changes here, where all is float32."""
    if node.attributes["DstT"].type not in FLOATS:
        raise Unsupported("it rounds to integers")
    return lifter.input(node)


def _clip(lifter: Lifter, node: Node) -> Value:
    low, high = (shortest(float(lifter.number(ref))) for ref in node.inputs[1:])
    return lifter.add(node, "clip", (lifter.input(node),), {"low": low, "high": high})


RULES: dict[str, Rule] = {
    **{op: partial(_unary, kind=kind) for op, kind in UNARY.items()},
    "Cast": _cast,
    "ClipByValue": _clip,
    "LeakyRelu": _leaky,
    "Softmax": partial(_softmax, kind="softmax"),
    "LogSoftmax": partial(_softmax, kind="log_softmax"),
}
