"""How fast the averages of batch norms move in training, read from the training graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.graph.order import descendants
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.norms import shortest
from attn_core.porting.network.settings import Settings
from attn_core.weights.files.tf1.errors import CheckpointError

_MOVES = ("AssignSub", "AssignSubVariableOp")


def momenta(graph: Graph, settings: Settings, image: Ref) -> Mapping[str, float]:
    """Return the share of the new for each moving average, with the training flags set."""
    training = {Ref(name): np.asarray(True) if value.dtype == bool else value for name, value in settings.items()}
    data = descendants(graph, [image.node])
    found = {}
    for node in graph.nodes.values():
        if node.op in _MOVES and len(node.inputs) == 2:
            average, factor = stored(graph, node.inputs[0]), _factor(graph, node, data)
            if average is not None and factor is not None:
                try:
                    share = evaluate(graph, training, [factor])[factor]
                except CheckpointError:
                    continue
                if share.size == 1 and 0 < float(share.reshape(())) <= 1:
                    found[average.name] = _rounded(float(share.reshape(())))
    return found


def _factor(graph: Graph, node: Node, data: set[str]) -> Ref | None:
    """Return what the distance from the average to the batch's value is multiplied with."""
    product = graph.nodes[node.inputs[1].node]
    if product.op != "Mul":
        return None
    factors = [ref for ref in product.inputs if ref.node not in data]
    return factors[0] if len(factors) == 1 else None


def _rounded(share: float) -> float:
    """Return the number that was meant: 1 - 0.99 in float32 is 0.00999999."""
    return shortest(round(share, 6))
