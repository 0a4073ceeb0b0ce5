"""Activations, which layers have as an option and models as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attn_core.porting.keras.nodes import Nodes, Tensor

Activation = Callable[[Nodes, str, Tensor], Tensor]

PLAIN = {
    "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu", "selu": "Selu",
    "softplus": "Softplus", "softsign": "Softsign", "exponential": "Exp", "log_softmax": "LogSoftmax",
}  # fmt: skip


class UnknownActivationError(ValueError):
    """An activation that has no counterpart; the message says which."""


def activated(nodes: Nodes, scope: str, x: Tensor, name: Any, keras_3: bool) -> Tensor:
    """Write an activation by its name in Keras."""
    if name is None or name == "linear":
        return x
    if not isinstance(name, str):
        raise UnknownActivationError(f"the activation {str(name)[:60]!r} is a program's own, which is not executed")
    if name in PLAIN:
        op = PLAIN[name]
        return nodes.unary(op, f"{scope}/{op}", x)
    found = {
        "softmax": softmax,
        "silu": silu,
        "swish": silu,
        "leaky_relu": leaky_relu,
        "hard_sigmoid": hard_sigmoid if keras_3 else old_hard_sigmoid,
        "hard_silu": hard_silu,
        "hard_swish": hard_silu,
        "mish": mish,
        "gelu": gelu,
    }.get(name)
    if found is None:
        raise UnknownActivationError(f"the activation {name[:60]!r} has no counterpart")
    return found(nodes, scope, x)


def softmax(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write a softmax over the last axis."""
    return nodes.unary("Softmax", f"{scope}/Softmax", x)


def silu(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write x * sigmoid(x)."""
    gate = nodes.unary("Sigmoid", f"{scope}/Sigmoid", x)
    return nodes.binary("Mul", f"{scope}/mul", x, gate.ref)


def leaky_relu(nodes: Nodes, scope: str, x: Tensor, slope: float = 0.2) -> Tensor:
    """Write a relu that lets a share of what is negative through."""
    return nodes.unary("LeakyRelu", f"{scope}/LeakyRelu", x, alpha=float(slope))


def old_hard_sigmoid(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write clip(0.2 x + 0.5, 0, 1), the hard sigmoid of Keras 1 and 2."""
    scaled = nodes.binary("Mul", f"{scope}/mul", x, nodes.number(f"{scope}/mul/y", 0.2))
    moved = nodes.binary("AddV2", f"{scope}/add", scaled, nodes.number(f"{scope}/add/y", 0.5))
    bounds = [nodes.number(f"{scope}/clip/{name}", value) for name, value in (("low", 0.0), ("high", 1.0))]
    return Tensor(nodes.of_floats("ClipByValue", f"{scope}/clip", moved.ref, *bounds), x.rank)


def hard_sigmoid(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write relu6(x + 3) / 6, the hard sigmoid of Keras 3."""
    moved = nodes.binary("AddV2", f"{scope}/add", x, nodes.number(f"{scope}/add/y", 3.0))
    cut = nodes.unary("Relu6", f"{scope}/Relu6", moved)
    return nodes.binary("RealDiv", f"{scope}/truediv", cut, nodes.number(f"{scope}/truediv/y", 6.0))


def hard_silu(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write x * relu6(x + 3) / 6."""
    gate = hard_sigmoid(nodes, f"{scope}/gate", x)
    return nodes.binary("Mul", f"{scope}/mul", x, gate.ref)


def mish(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write x * tanh(softplus(x))."""
    soft = nodes.unary("Softplus", f"{scope}/Softplus", x)
    return nodes.binary("Mul", f"{scope}/mul", x, nodes.unary("Tanh", f"{scope}/Tanh", soft).ref)


def gelu(nodes: Nodes, scope: str, x: Tensor) -> Tensor:
    """Write x * (1 + erf(x / sqrt 2)) / 2."""
    scaled = nodes.binary("Mul", f"{scope}/scaled", x, nodes.number(f"{scope}/scaled/y", 0.5**0.5))
    erf = nodes.unary("Erf", f"{scope}/Erf", scaled)
    share = nodes.binary("AddV2", f"{scope}/add", erf, nodes.number(f"{scope}/add/y", 1.0))
    half = nodes.binary("Mul", f"{scope}/half", x, nodes.number(f"{scope}/half/y", 0.5))
    return nodes.binary("Mul", f"{scope}/mul", half, share.ref)
