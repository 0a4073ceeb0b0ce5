"""The type of what a node gives, as far as its attributes tell."""

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.reads import FLOATS

FLOAT, STRING, BOOL = 1, 7, 10  # DataType
_LISTS = ("output_types", "component_types", "Tdense", "dense_types")
_SINGLE = ("DstT", "output_type", "out_type", "dtype", "T", "Tparams")
_BOOLEAN = frozenset(
    {"Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "InTopK", "InTopKV2"}
    | {"LogicalNot", "LogicalAnd", "LogicalOr", "All", "Any", "IsNan", "IsInf", "IsFinite"}
)
_INTEGER = frozenset({"ArgMax", "ArgMin", "Shape", "Size", "Rank"})  # int64 or int32, if nothing else is said
_INT64 = 9


def type_of(graph: Graph, ref: Ref) -> int | None:
    """Return the DataType of an output, None where the attributes do not tell it."""
    node = graph.nodes[ref.node]
    if node.op in _BOOLEAN:
        return BOOL
    found = _stated(node, ref.output)
    # An index has the type of its result, not that of what it looks for.
    if node.op in _INTEGER:
        return found if found is not None and found not in FLOATS else _INT64
    return found


def _stated(node: Node, output: int) -> int | None:
    for key in _LISTS:
        if key in node.attributes and output < len(node.attributes[key].list.type):
            return int(node.attributes[key].list.type[output])
    for key in _SINGLE:
        if key in node.attributes and node.attributes[key].type:
            return int(node.attributes[key].type)
    return None


def is_float(graph: Graph, ref: Ref) -> bool:
    """Whether an output may hold real numbers; what is not told may."""
    kind = type_of(graph, ref)
    return kind is None or kind in FLOATS
