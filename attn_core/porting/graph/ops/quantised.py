"""Weights that a frozen graph keeps in eight bits."""

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, text


def _dequantise(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Return the numbers that integers between two limits stand for."""
    integers, low, high = inputs[0], *(float(each) for each in inputs[1:])
    kind = np.iinfo(integers.dtype)
    steps = kind.max - kind.min
    offset = integers.astype(np.float64) - kind.min
    match text(node, "mode", "MIN_COMBINED"):
        case "MIN_FIRST":
            # Zero is one of the numbers: the lower limit is rounded to a whole number of steps, in float32.
            step = (high - low) * ((steps + 1) / steps) / (steps + 1)
            single = np.float32(step)
            first = float(np.round(np.float32(low) / single) * single)
        case "MIN_COMBINED":
            step, first = (high - low) / steps, low
        case mode:
            raise ValueError(f"integers of the mode {mode} are not read here")
    return (first + offset * step).astype(np.float32)


OPS: dict[str, Operation] = {"Dequantize": _dequantise}
