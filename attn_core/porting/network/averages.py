"""The moving averages of a training graph: what moves each, towards which value, and how fast.

TensorFlow writes the step of an average in a few ways, `s` being the share of the new:

- average -= (average - value) * s, of `assign_moving_average` and `ExponentialMovingAverage`;
- average += (value - average) * s;
- average := average * (1 - s) + value * s, as programs write it themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.reads import SAME, Stored, last, stored

# Conditions on the training flag hand values on; what is asked is which value, not when.
_HANDED_ON = SAME | {"Switch", "RefSwitch", "Enter", "ReadVariableOp"}
_SUBTRACTS = ("AssignSub", "AssignSubVariableOp")
_ADDS = ("AssignAdd", "AssignAddVariableOp")
_ASSIGNS = ("Assign", "AssignVariableOp")
_SUMS = ("Add", "AddV2")


class Move(NamedTuple):
    """One step of an average.

    Fields:
        read: the output in which the step reads the average.
        value: the output that the average follows, of the node that computed it.
        share: the output that holds the share of the new.
    """

    average: Stored
    read: Ref
    value: Ref
    share: Ref


def moves(graph: Graph) -> Iterator[Move]:
    """Yield the steps of all averages, in the file's order."""
    for node in graph.nodes.values():
        found = _move(graph, node)
        if found is not None:
            yield found


def _move(graph: Graph, node: Node) -> Move | None:
    if len(node.inputs) != 2:
        return None
    variable, change = node.inputs
    average = stored(graph, variable)
    if average is None or average.frozen:
        return None
    if node.op in _SUBTRACTS or node.op in _ADDS:
        return _by_difference(graph, average, change, subtracted=node.op in _SUBTRACTS)
    if node.op in _ASSIGNS:
        return _by_sum(graph, average, change)
    return None


def _by_difference(graph: Graph, average: Stored, change: Ref, subtracted: bool) -> Move | None:
    """Read (average - value) * share, either way round, or with the sign of what is added."""
    for distance, share in _factors(graph, change):
        difference = _node(graph, distance)
        if difference.op != "Sub":
            continue
        read, value = difference.inputs if subtracted else difference.inputs[::-1]
        if _is(graph, read, average):
            return Move(average, read, last(graph, value, _HANDED_ON), share)
    return None


def _by_sum(graph: Graph, average: Stored, change: Ref) -> Move | None:
    """Read average * (1 - share) + value * share, in any order."""
    total = _node(graph, change)
    if total.op not in _SUMS:
        return None
    for old, new in (total.inputs, total.inputs[::-1]):
        read = next((ref for ref, _ in _factors(graph, old) if _is(graph, ref, average)), None)
        weighted = list(_factors(graph, new))
        if read is not None and weighted:
            value, share = _share_last(graph, weighted)
            return Move(average, read, last(graph, value, _HANDED_ON), share)
    return None


def _share_last(graph: Graph, factors: list[tuple[Ref, Ref]]) -> tuple[Ref, Ref]:
    """Tell the value from its share: the share is stated, or computed of numbers that are."""
    for value, share in factors:
        node = _node(graph, share)
        if node.op == "Const" or all(_node(graph, ref).op == "Const" for ref in node.inputs):
            return value, share
    return factors[0]


def _factors(graph: Graph, ref: Ref) -> Iterator[tuple[Ref, Ref]]:
    """Yield the two factors of a product in both orders; nothing for what is no product."""
    product = _node(graph, ref)
    if product.op == "Mul" and len(product.inputs) == 2:
        first, second = product.inputs
        yield first, second
        yield second, first


def _is(graph: Graph, ref: Ref, average: Stored) -> bool:
    found = stored(graph, ref)
    return found is not None and found.name == average.name


def _node(graph: Graph, ref: Ref) -> Node:
    return graph.nodes[last(graph, ref, _HANDED_ON).node]
