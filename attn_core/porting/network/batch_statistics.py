"""Setting a training graph to inference: batch norms that normalise with their batch get their moving averages.

A program with a constant `is_training=True` saves nothing else: the averages are in its checkpoint, moved by nodes
beside the network, which say what belongs to what. Where no node moves them, as in a graph of which but the forward
half was kept, they stand beside gamma and beta in the norm's scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.order import descendants
from attn_core.porting.graph.reads import RESHAPED, SAME, VARIABLES, stored, walk
from attn_core.porting.network.averages import moves
from attn_core.porting.network.clean import rebuilt, without_leftovers
from attn_core.porting.network.steps.attributes import attribute

FUSED = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
_READS = ("Identity", "ReadVariableOp")
_OF_FUSED = {1: "moving_mean", 2: "moving_variance"}
_OF_MOMENTS = {"mean": "moving_mean", "variance": "moving_variance"}  # the nodes of `tf.nn.moments`
_AIDE = ("biased", "local_step")  # what `zero_debias_moving_mean` keeps beside an average


class Set(NamedTuple):
    """A graph in which batch norms read their averages, and the names of the nodes that were changed for it."""

    graph: Graph
    changed: tuple[str, ...]


def with_averages(graph: Graph, alive: Graph, image: Ref) -> Set:
    """Let batch norms read their moving averages where they take the statistics of the batch.

    `alive` is the graph outside of training, and says of which norms this is true: one that is chosen by the training
    flag has its own branch for inference, and stays as it is.
    """
    data = descendants(alive, [image.node])
    found = _by_moves(graph, alive, data)
    for node in alive.nodes.values():
        if node.name not in data:
            continue
        for statistic, role in _statistics(alive, node):
            found.setdefault(statistic, _by_scope(graph, node.name, role))
    known = {statistic: read for statistic, read in found.items() if read is not None}
    changed = dict(graph.nodes)
    # A fused norm has two statistics, and is changed once.
    for name in {statistic.node for statistic in known}:
        for node in _reading(graph, graph.nodes[name], known):
            changed[node.name] = node
    names = sorted(name for name, node in graph.nodes.items() if changed[name] is not node)
    result = rebuilt(graph, changed.values())
    return Set(without_leftovers(result, graph), tuple(names))


def trained(graph: Graph, names: Collection[str]) -> int:
    """Return how many of these nodes take the statistics of a batch for a norm."""
    return sum(any(_statistics(graph, graph.nodes[name])) for name in names)


# ---- which statistic has which average -------------------------------------------------------------------------------


def _by_moves(graph: Graph, alive: Graph, data: set[str]) -> dict[Ref, Ref | None]:
    """Return, for the statistics of a batch that move an average, the output that holds the average."""
    found: dict[Ref, Ref | None] = {}
    for move in moves(graph):
        value = _computed(graph, move.value)
        _, _, name = move.average.name.rpartition("/")
        # The average of a weight does not depend on the image.
        if value.node not in data or name in _AIDE:
            continue
        if _is_vector(move.average.shape) and _is_of_batch(alive, value):
            found[value] = move.read
    return found


def _is_vector(shape: tuple[int, ...]) -> bool:
    """Whether an average has a number for each channel; that of losses is a single number."""
    lengths = [size for size in shape if size != 1]
    return shape != () and len(lengths) <= 1


def _computed(graph: Graph, value: Ref) -> Ref:
    """Return a statistic before it was reshaped: the norm may read it as it was."""
    *_, end = walk(graph, value, SAME | RESHAPED)
    return end if graph.nodes[end.node].op == "Mean" else value


def _is_of_batch(graph: Graph, value: Ref) -> bool:
    node = graph.nodes[value.node]
    if node.op in FUSED:
        return value.output in _OF_FUSED and bool(attribute(node, "is_training", True))
    return True


def _statistics(graph: Graph, node: Node) -> Iterator[tuple[Ref, str]]:
    """Yield the statistics of the batch that a node computes for a norm, and the average each has in its scope."""
    if node.op in FUSED and attribute(node, "is_training", True):
        yield from ((Ref(node.name, output), role) for output, role in _OF_FUSED.items())
    scope, _, name = node.name.rpartition("/")
    if node.op == "Mean" and name in _OF_MOMENTS and scope.rpartition("/")[2].startswith("moments"):
        axes = integers(graph, node.inputs[1]) if len(node.inputs) == 2 else None
        if axes is not None and 0 in axes:
            yield Ref(node.name), _OF_MOMENTS[name]


def _by_scope(graph: Graph, name: str, role: str) -> Ref | None:
    """Return the average of this role in the nearest scope around a norm; a tower's scope may stand before it."""
    scopes = name.split("/")[:-1]
    for end in range(len(scopes), 0, -1):
        for start in range(end):
            scope = scopes[start:end]
            variable = graph.nodes.get("/".join([*scope, role]))
            if variable is not None and variable.op in VARIABLES:
                return _read(graph, variable)
    return None


def _read(graph: Graph, variable: Node) -> Ref | None:
    """Return the output in which the graph reads a variable."""
    readers = [node for node in graph.consumers.get(variable.name, ()) if node.op in _READS]
    return Ref(readers[0].name) if readers else None


# ---- what stands in the norm's place ---------------------------------------------------------------------------------


def _reading(graph: Graph, node: Node, known: Mapping[Ref, Ref]) -> Iterator[Node]:
    """Yield a node that reads averages in place of one that takes the statistics of a batch."""
    if node.op in FUSED:
        mean, variance = (known.get(Ref(node.name, output)) for output in _OF_FUSED)
        if mean is not None and variance is not None:
            inputs = (*node.inputs[:3], mean, variance)
            yield replace(node, inputs=inputs, attributes=_for_inference(node))
        return
    average = known[Ref(node.name)]
    shape = _kept_shape(graph, node, average)
    if shape is None:
        yield Node(node.name, "Identity", (average,), {"T": node.attributes["T"]})
        return
    sizes = _constant(f"{node.name}/kept_shape", shape)
    yield sizes
    attributes = {"T": node.attributes["T"], "Tshape": sizes.attributes["dtype"]}
    yield Node(node.name, "Reshape", (average, Ref(sizes.name)), attributes)


def _for_inference(node: Node) -> Mapping[str, Any]:
    """Return the attributes of a fused norm, out of training; a message gives what is left out its default."""
    copied = node_def_pb2.NodeDef()
    for key, value in node.attributes.items():
        copied.attr[key].CopyFrom(value)
    copied.attr["is_training"].b = False
    attributes: Mapping[str, Any] = copied.attr
    return attributes


def _kept_shape(graph: Graph, node: Node, average: Ref) -> list[int] | None:
    """Return the shape of a mean that keeps its axes; None where it has the average's own."""
    if node.op != "Mean" or not attribute(node, "keep_dims", False):
        return None
    axes = integers(graph, node.inputs[1]) or ()
    held = stored(graph, average)
    channels = int(np.prod(held.shape)) if held else -1
    rank = len(axes) + 1
    reduced = {axis % rank for axis in axes if axis is not None}
    return [1 if axis in reduced else channels for axis in range(rank)]


def _constant(name: str, values: list[int]) -> Node:
    node = node_def_pb2.NodeDef()
    node.attr["dtype"].type = 3
    tensor = node.attr["value"].tensor
    tensor.dtype = 3
    tensor.tensor_shape.dim.add(size=len(values))
    tensor.int_val.extend(values)
    return Node(name, "Const", (), node.attr)
