"""How fast the averages of batch norms move in training, read from the training graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.network.averages import moves
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.settings import Settings
from attn_core.porting.network.steps.steps import Array
from attn_core.weights.files.tf1.errors import CheckpointError


def momenta(graph: Graph, settings: Settings) -> Mapping[str, float]:
    """Return the share of the new for each moving average, with the training flags set."""
    # Outside of training `tf.layers` computes a share of 0.
    training = {Ref(name): _in_training(value) for name, value in settings.items()}
    found = dict(graph.momenta)
    for move in moves(graph):
        share = _share(graph, training, move.share)
        if share is not None:
            found[move.average.name] = share
    return found


def _in_training(value: Array) -> Array:
    """Return a flag that is set; rates stay what they are."""
    return np.asarray(True) if value.dtype == bool else value


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
