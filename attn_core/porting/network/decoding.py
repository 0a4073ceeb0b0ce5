"""Detectors: their heads take a layer's channels apart, make boxes and scores of them, and put these together.

A training needs what the layer gave, a prediction what was made of it: both are results.
"""

from __future__ import annotations

from collections.abc import Collection

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.network.boundary import LAYERS

_JOINS = ("Concat", "ConcatV2", "Pack")
_SUMS = ("Add", "AddV2", "BiasAdd")
_CUTS = ("StridedSlice", "Slice", "Split", "SplitV", "Unpack", "GatherV2")


def before_decoding(graph: Graph, result: Ref, alone: Collection[str]) -> Ref | None:
    """Return the result of the one layer that a result was decoded from; None of any other result.

    `alone` are the nodes that are made of the image's pixels alone.
    """
    ends: set[str] = set()
    ops: set[str] = set()
    seen: set[str] = set()
    waiting = [result.node]
    while waiting:
        node = graph.nodes[waiting.pop()]
        if node.name in seen:
            continue
        seen.add(node.name)
        if _is_layer(graph, node):
            ends.add(node.name)
            continue
        ops.add(node.op)
        waiting.extend(ref.node for ref in node.inputs if ref.node in alone)
    is_decoded = ops.intersection(_JOINS) and ops.intersection(_CUTS)
    return Ref(ends.pop()) if len(ends) == 1 and is_decoded else None


def _is_layer(graph: Graph, node: Node) -> bool:
    """Whether a node gives what a layer makes of its input, the bias included."""
    if node.op in _SUMS and node.inputs:
        node = graph.nodes[node.inputs[0].node]
    return node.op in LAYERS
