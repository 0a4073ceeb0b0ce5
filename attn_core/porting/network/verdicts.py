"""What a classifier decides, and the numbers behind it."""

from collections.abc import Collection

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.reads import FLOATS

_VERDICTS = frozenset({"ArgMax", "ArgMin", "TopKV2", "InTopK", "InTopKV2", "Cast", "Equal", "Reshape", "Squeeze"})
# Operations that may hand on scores as well as classes: the attribute that tells the type of their result.
_RESULT_TYPES = {"Cast": "DstT", "Reshape": "T", "Squeeze": "T"}


def numbers_behind(graph: Graph, node: Node, within: Collection[str]) -> Ref:
    """Return the scores behind the class; of a node that gives numbers, these."""
    while node.op in _VERDICTS and node.inputs:
        source = node.inputs[0].node
        if source not in within or not _is_of_integers(node):
            break
        node = graph.nodes[source]
    return Ref(node.name)


def _is_of_integers(node: Node) -> bool:
    if node.op not in _RESULT_TYPES:
        return True
    kind = node.attributes[_RESULT_TYPES[node.op]].type
    return kind not in FLOATS
