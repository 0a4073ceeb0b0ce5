"""What passes arrays on: the identity under its many names, and the branches of a condition."""

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import DEAD, Operation, text

SWITCHES = ("Switch", "RefSwitch")
MERGES = ("Merge", "RefMerge")


def _identity(_: Node, inputs: tuple[Array, ...]) -> Array:
    (x,) = inputs
    return x


def _stop_gradient(_: Node, inputs: tuple[Array, ...]) -> Array:
    """Pass on the numbers without the derivative that they carry."""
    (x,) = inputs
    return x.real


def _check_numerics(node: Node, inputs: tuple[Array, ...]) -> Array:
    (x,) = inputs
    if not np.isfinite(x.real).all():
        raise ValueError(f"{text(node, 'message', 'the array')}: not every number is finite")
    return x


def _switch(_: Node, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
    """Pass the array on to the branch of False, output 0, or to that of True, output 1."""
    x, condition = inputs
    return (DEAD, x) if condition.item() else (x, DEAD)


def _merge(_: Node, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
    """Pass on the array of the branch that was taken, and its number."""
    taken = next((i for i, x in enumerate(inputs) if x is not DEAD), None)
    return (DEAD, DEAD) if taken is None else (inputs[taken], np.array(taken, np.int32))


_SAME = (
    "Identity",
    "RefIdentity",
    "PreventGradient",
    "Snapshot",
    "PlaceholderWithDefault",
    "ReadVariableOp",
)

OPS: dict[str, Operation] = {
    **dict.fromkeys(_SAME, _identity),
    **dict.fromkeys(SWITCHES, _switch),
    **dict.fromkeys(MERGES, _merge),
    "IdentityN": lambda _, inputs: inputs,
    "StopGradient": _stop_gradient,
    "CheckNumerics": _check_numerics,
}
