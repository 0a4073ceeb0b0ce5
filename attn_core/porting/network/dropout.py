"""Removing dropout: the product of an image with random numbers that were cut to zero and one."""

from dataclasses import replace

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import descendants
from attn_core.porting.network.clean import rebuilt

_RANDOM = ("RandomUniform", "RandomUniformInt", "StatelessRandomUniform", "StatelessRandomUniformV2")
_ROUNDS = frozenset({"Floor", "Cast", "GreaterEqual", "Select", "SelectV2"})
_ON_THE_WAY = _ROUNDS | {"Mul", "Add", "AddV2", "Sub"}


def without_dropout(graph: Graph, image: str) -> tuple[Graph, dict[Ref, Ref]]:
    """Return the graph without dropout, and for the output of each what went into it."""
    depends = descendants(graph, [image])
    gone: dict[Ref, Ref] = {}
    for node in graph.nodes.values():
        if node.op in _RANDOM:
            for product in _products(graph, node):
                if (data := _data(graph, product, depends)) is not None:
                    gone[Ref(product.name)] = data
    if not gone:
        return graph, gone
    nodes = (replace(node, inputs=tuple(followed(gone, ref) for ref in node.inputs)) for node in graph.nodes.values())
    return rebuilt(graph, nodes), gone


def followed(alias: dict[Ref, Ref], ref: Ref) -> Ref:
    """Return what stands for an output in the end."""
    while ref in alias:
        ref = alias[ref]
    return ref


def _products(graph: Graph, random: Node) -> list[Node]:
    """Return the products with what random numbers were rounded to."""
    found, waiting, seen = [], [(random, False)], {random.name}
    while waiting:
        node, rounded = waiting.pop()
        for reader in graph.consumers.get(node.name, ()):
            if reader.op == "Mul" and rounded and "gradients/" not in reader.name:
                found.append(reader)
            elif reader.op in _ON_THE_WAY and reader.name not in seen:
                seen.add(reader.name)
                waiting.append((reader, rounded or reader.op in _ROUNDS))
    return found


def _data(graph: Graph, product: Node, depends: set[str]) -> Ref | None:
    """Return the image before it was divided by the share that is kept."""
    data = [ref for ref in product.inputs if ref.node in depends and not _is_mask(graph, ref)]
    if len(data) != 1:
        return None
    scaled = graph.nodes[data[0].node]
    inner = [ref for ref in scaled.inputs if ref.node in depends]
    divided = scaled.op in ("Mul", "RealDiv", "Div") and len(scaled.inputs) == 2 and len(inner) == 1
    return inner[0] if divided else data[0]


def _is_mask(graph: Graph, ref: Ref) -> bool:
    """Whether a factor is the rounded random numbers; their shape may depend on the image."""
    return graph.nodes[ref.node].op in _ROUNDS
