"""Hard sigmoid and hard swish, which programs write by hand: relu6(x + 3) / 6, and x times that."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.numbers import NUMBER
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Step, Value

_SHIFT = 3.0
_NEAR = 1e-4  # some programs write 0.16667: the number is kept, and said in the source


def hard(lifter: Lifter, node: Node, kind: str, x: Value, number: float) -> Value | None:
    """Lift a product with a sixth, or a quotient by six, that ends a hard sigmoid or swish; None of any other."""
    scale = number if kind == "multiply" else 1 / number if kind == "divide" and number else 0.0
    if abs(6 * scale - 1) > _NEAR:
        return None
    fields = {"scale": None if abs(6 * scale - 1) < 1e-7 else scale}
    relu = lifter.step_of(x, "relu6")
    if relu is not None and (source := _shifted(lifter, relu)) is not None:
        return lifter.add(node, "hard_sigmoid", (Value(source, x.axes),), fields)
    product = lifter.step_of(x, "multiply")
    if product is None or product.fields["operands"] != (0, 1):
        return None
    for source, other in (product.inputs, product.inputs[::-1]):
        relu = lifter.step_of(Value(other, x.axes), "relu6")
        if relu is not None and _shifted(lifter, relu) == source:
            return lifter.add(node, "hard_swish", (Value(source, x.axes),), fields)
    return None


def hard_swish(lifter: Lifter, node: Node, x: Value, gate: Value) -> Value | None:
    """Lift x times its own hard sigmoid; None if the gate is of something else."""
    sigmoid = lifter.step_of(gate, "hard_sigmoid")
    if sigmoid is None or sigmoid.inputs != (x.step,):
        return None
    return lifter.add(node, "hard_swish", (x,), sigmoid.fields)


def _shifted(lifter: Lifter, relu: Step) -> str | None:
    """Return what three was added to before a relu6."""
    total = lifter.steps.get(relu.inputs[0])
    if total is None or total.kind != "add" or lifter.readers(total) != 1:
        return None
    is_shift = NUMBER in total.fields["operands"] and total.fields.get("number") == _SHIFT
    return total.inputs[0] if is_shift else None
