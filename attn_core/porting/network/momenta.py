"""How fast the averages of batch norms move in training, read from the training graph.

TensorFlow subtracts from an average (average - value of the batch) * (1 - decay); the second factor is the share of
the new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.graph.order import descendants
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.settings import Settings
from attn_core.porting.network.steps.steps import Array
from attn_core.weights.files.tf1.errors import CheckpointError

_MOVES = ("AssignSub", "AssignSubVariableOp")


def momenta(graph: Graph, settings: Settings, image: Ref) -> Mapping[str, float]:
    """Return the share of the new for each moving average, with the training flags set."""
    # Outside of training `tf.layers` computes a share of 0.
    training = {Ref(name): _in_training(value) for name, value in settings.items()}
    found = {}
    for average, factor in _moves(graph, image):
        share = _share(graph, training, factor)
        if share is not None:
            found[average] = share
    return found


def _in_training(value: Array) -> Array:
    """Return a flag that is set; rates stay what they are."""
    return np.asarray(True) if value.dtype == bool else value


def _moves(graph: Graph, image: Ref) -> Iterator[tuple[str, Ref]]:
    """Yield the averages that are moved, and by what the distance to the batch's value is multiplied."""
    data = descendants(graph, [image.node])
    for node in graph.nodes.values():
        if node.op not in _MOVES or len(node.inputs) != 2:
            continue
        average = stored(graph, node.inputs[0])
        factor = _factor(graph, node, data)
        if average is not None and factor is not None:
            yield average.name, factor


def _factor(graph: Graph, node: Node, data: set[str]) -> Ref | None:
    product = graph.nodes[node.inputs[1].node]
    if product.op != "Mul":
        return None
    # The other factor, a distance to the batch, depends on the image.
    factors = [ref for ref in product.inputs if ref.node not in data]
    return factors[0] if len(factors) == 1 else None


def _share(graph: Graph, training: Mapping[Ref, Array], factor: Ref) -> float | None:
    """Compute a factor; None if the graph cannot be run so far, or it is no share."""
    try:
        values = evaluate(graph, training, [factor])[factor]
    except CheckpointError:
        return None
    if values.size != 1:
        return None
    share = float(values.reshape(()))
    # 1 - 0.99 in float32 is 0.00999999; the number that was meant is the rounded one.
    return shortest(round(share, 6)) if 0 < share <= 1 else None
