"""What the two ends of a network, its image and its result, have in common."""

from collections.abc import Iterable

from attn_core.porting.graph.graph import Graph, Ref

LAYERS = frozenset({"Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2"})


class BoundaryError(ValueError):
    """A graph that does not tell where its network starts or ends; the message says how to name it."""


def layers(graph: Graph, names: Iterable[str]) -> int:
    """Return how many of these nodes are layers."""
    return sum(graph.nodes[name].op in LAYERS for name in names)


def named(graph: Graph, text: str) -> Ref:
    """Return the output that a user names as TensorFlow does: `name:0`, where 0 need not be said."""
    name, _, output = text.partition(":")
    number = output or "0"
    if name not in graph.nodes or not number.isdigit():
        raise BoundaryError(f"{graph.path} has no node {text!r} on the way from its image to its result.")
    return Ref(name, int(number))
