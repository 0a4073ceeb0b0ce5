"""Removing dropout: the product of an image with random numbers that were cut to zero and one.

TensorFlow 1 writes it as x / keep * floor(keep + random), later as x * scale * cast(random >= rate).
"""

from dataclasses import replace
from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import descendants
from attn_core.porting.network.clean import rebuilt, without_leftovers

_RANDOM = ("RandomUniform", "RandomUniformInt", "StatelessRandomUniform", "StatelessRandomUniformV2")
_ROUNDS = frozenset({"Floor", "Cast", "GreaterEqual", "Select", "SelectV2"})
_ON_THE_WAY = _ROUNDS | {"Mul", "Add", "AddV2", "Sub"}


class _Way(NamedTuple):
    """A node on the way from random numbers, and whether they have been rounded by then."""

    node: Node
    rounded: bool


def without_dropout(graph: Graph, image: str) -> tuple[Graph, dict[Ref, Ref]]:
    """Return the graph without dropout, and for the output of each what went into it."""
    gone = _dropouts(graph, image)
    if not gone:
        return graph, gone
    nodes = [_reading(node, gone) for node in graph.nodes.values()]
    return without_leftovers(rebuilt(graph, nodes), graph), gone


def _reading(node: Node, gone: dict[Ref, Ref]) -> Node:
    """Return a node that reads what went into dropout, not what came out."""
    inputs = tuple(followed(gone, ref) for ref in node.inputs)
    return replace(node, inputs=inputs)


def followed(alias: dict[Ref, Ref], ref: Ref) -> Ref:
    """Return what stands for an output in the end."""
    while ref in alias:
        ref = alias[ref]
    return ref


def _dropouts(graph: Graph, image: str) -> dict[Ref, Ref]:
    depends = descendants(graph, [image])
    gone: dict[Ref, Ref] = {}
    for node in graph.nodes.values():
        if node.op not in _RANDOM:
            continue
        for product in _products(graph, node):
            data = _data(graph, product, depends)
            if data is not None:
                gone[Ref(product.name)] = data
    return gone


def _products(graph: Graph, random: Node) -> list[Node]:
    """Return the products with what random numbers were rounded to."""
    found = []
    seen = {random.name}
    waiting = [_Way(random, False)]
    while waiting:
        node, rounded = waiting.pop()
        for reader in graph.consumers.get(node.name, ()):
            # The gradient of dropout is a product with the same mask.
            if reader.op == "Mul" and rounded and "gradients/" not in reader.name:
                found.append(reader)
            elif reader.op in _ON_THE_WAY and reader.name not in seen:
                seen.add(reader.name)
                waiting.append(_Way(reader, rounded or reader.op in _ROUNDS))
    return found


def _data(graph: Graph, product: Node, depends: set[str]) -> Ref | None:
    """Return the image before it was divided by the share that is kept."""
    data = [ref for ref in product.inputs if ref.node in depends and not _is_mask(graph, ref)]
    if len(data) != 1:
        return None
    # The division is left out with the mask: both belong to training.
    scaled = graph.nodes[data[0].node]
    inner = [ref for ref in scaled.inputs if ref.node in depends]
    if scaled.op in ("Mul", "RealDiv", "Div") and len(scaled.inputs) == 2 and len(inner) == 1:
        return inner[0]
    return data[0]


def _is_mask(graph: Graph, ref: Ref) -> bool:
    """Whether a factor is the rounded random numbers; their shape may depend on the image."""
    return graph.nodes[ref.node].op in _ROUNDS
