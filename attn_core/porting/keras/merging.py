"""Layers that read several tensors, and operations that Keras 3 writes as layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attn_core.porting.graph.graph import Ref
from attn_core.porting.keras.nodes import INT32, Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use


def concatenate(use: Use, inputs: Sequence[Tensor | float]) -> Tensor:
    """Write `Concatenate`."""
    tensors = _tensors(inputs)
    axis = use.nodes.integers(f"{use.scope}/axis", int(use.option("axis", -1)) % tensors[0].rank)
    refs = [x.ref for x in tensors]
    ref = use.nodes.of_floats("ConcatV2", f"{use.scope}/concat", *refs, axis, N=len(refs), Tidx=INT32)
    return Tensor(ref, tensors[0].rank)


def _tensors(inputs: Sequence[Tensor | float]) -> list[Tensor]:
    found = [each for each in inputs if isinstance(each, Tensor)]
    if len(found) != len(inputs) or not found:
        raise UnknownLayerError("it reads numbers")
    return found


def combined(use: Use, inputs: Sequence[Tensor | float], op: str) -> Tensor:
    """Write an operation of two or more, one after the other; numbers among them are the program's."""
    first, *others = inputs
    if not others:
        raise UnknownLayerError("it reads one tensor only")
    total = first
    for other in others:
        total = _both(use, op, total, other)
    if not isinstance(total, Tensor):
        raise UnknownLayerError("it reads numbers only")
    return total


def _both(use: Use, op: str, first: Tensor | float, second: Tensor | float) -> Tensor:
    scope = f"{use.scope}/{op}"
    if isinstance(first, Tensor):
        return use.nodes.binary(op, scope, first, _ref(use, second))
    if not isinstance(second, Tensor):
        raise UnknownLayerError("it reads numbers only")
    ref = use.nodes.of_floats(op, scope, use.nodes.number(f"{scope}/x", first), second.ref)
    return Tensor(ref, second.rank)


def _ref(use: Use, value: Tensor | float) -> Ref:
    return value.ref if isinstance(value, Tensor) else use.nodes.number(f"{use.scope}/y", value)


def average(use: Use, inputs: Sequence[Tensor | float]) -> Tensor:
    """Write `Average`."""
    total = combined(use, inputs, "AddV2")
    count = use.nodes.number(f"{use.scope}/count", float(len(inputs)))
    return use.nodes.binary("RealDiv", f"{use.scope}/truediv", total, count)


LAYERS: dict[str, Callable[[Use, Sequence[Tensor | float]], Tensor]] = {
    "Concatenate": concatenate,
    "Average": average,
    **{
        kind: partial(combined, op=op)
        for kind, op in {
            "Add": "AddV2",
            "Subtract": "Sub",
            "Multiply": "Mul",
            "Divide": "RealDiv",
            "TrueDivide": "RealDiv",
            "Maximum": "Maximum",
            "Minimum": "Minimum",
        }.items()
    },
}
