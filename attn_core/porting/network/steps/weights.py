"""The variable behind an output that hands it on in another shape."""

from __future__ import annotations

from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.reads import Stored, stored
from attn_core.porting.network.steps.observed import Observed
from attn_core.porting.network.steps.steps import Turn, as_it_is

_MOVES = 8  # how often weights are reshaped and transposed at most before they are used


class LaidOut(NamedTuple):
    """A variable, and how the graph lays its numbers out anew."""

    variable: Stored
    turn: Turn


def laid_out(graph: Graph, observed: Observed, ref: Ref) -> LaidOut | None:
    """Return the variable whose numbers an output has; None if the graph computes others."""
    turn: Turn = as_it_is
    for _ in range(_MOVES):
        variable = stored(graph, ref)
        if variable is not None:
            return LaidOut(variable, turn)
        moved = _moved(graph, observed, ref)
        if moved is None:
            return None
        turn = then(moved, turn)  # the walk goes backwards: what is found later is done earlier
        ref = graph.nodes[ref.node].inputs[0]
    return None


def then(first: Turn, second: Turn) -> Turn:
    """Return two changes of an array as one."""
    return lambda array: second(first(array))


def _moved(graph: Graph, observed: Observed, ref: Ref) -> Turn | None:
    """Return how a node lays its numbers out anew, if that is all it does."""
    node = graph.nodes[ref.node]
    if node.op in ("Reshape", "Squeeze", "ExpandDims"):
        shape = observed.constant_shape(ref)
        return lambda array: array.reshape(shape)
    if node.op != "Transpose":
        return None
    order = observed.fixed(node.inputs[1])
    return None if order is None else lambda array: array.transpose(order)
