"""How exact the original is where it computes in half precision, as graphs of mixed precision do."""

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.types import type_of

# Of DataType bfloat16 and half: what rounding changes a number by at most, relatively.
_UNITS = {14: 2.0**-8, 19: 2.0**-11}
# What hands numbers on as they are.
_EXACT = frozenset(
    {"Identity", "Const", "Placeholder", "VariableV2", "VarHandleOp", "ReadVariableOp", "Reshape", "Squeeze"}
    | {"ExpandDims", "Transpose", "ConcatV2", "Split", "Pad", "MaxPool", "Max", "Relu", "Relu6"}
)


def rounding(graph: Graph) -> float:
    """Return a bound of the relative error of a graph's result by rounding to half precision, 0 where it does not.

    To first order, each operation that rounds adds one unit, of numbers as large as the largest.
    """
    return sum(_unit(graph, node) for node in graph.nodes.values())


def _unit(graph: Graph, node: Node) -> float:
    if node.op in _EXACT:
        return 0.0
    return _UNITS.get(type_of(graph, Ref(node.name)) or 0, 0.0)
