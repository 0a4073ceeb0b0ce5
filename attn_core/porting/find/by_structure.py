"""Finding SE blocks by the structure of a graph: mean over space, dense, relu, dense, sigmoid, product."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from attn_core.porting.find.dense import Unlike, activation, dense, fits, gate
from attn_core.porting.find.kernels import DensePair
from attn_core.porting.find.means import Pool, pool, pooled, shape_known
from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import natural, places
from attn_core.porting.graph.reads import same, vector

_GRADIENTS = re.compile(r"(^|/)gradients(_\d+)?/")
_LAYERS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum", "Conv2D", "DepthwiseConv2dNative"})
_SOURCES = frozenset({"Const", "Placeholder", "PlaceholderWithDefault", "Variable", "VariableV2", "VarHandleOp"})
_MOST_STEPS = 1000


@dataclass(frozen=True)
class Match:
    """An SE block in a graph, with the mean it starts from and the product it ends in."""

    pair: DensePair
    pool: Pool
    product: str = ""


def match(graph: Graph) -> tuple[list[Match], list[str]]:
    """Return the blocks in the network's order, and sentences on what looks like one but is not known to be."""
    found: dict[str, Match] = {}
    doubts: dict[str, str] = {}
    for product, image, ref in _candidates(graph):
        node = vector(graph, ref).name
        try:
            chain = excitation(graph, ref)
            _check_product(graph, chain, image, ref)
            found.setdefault(node, replace(chain, product=product.name))
        except Unlike as reason:
            doubts.setdefault(
                node, f"{product.name!r} multiplies an image by something made from its pooled values, but {reason}."
            )
    doubts.update(_unused_gates(graph, found.keys() | doubts.keys()))
    order = places(graph)
    blocks = sorted(found.values(), key=lambda m: (order[m.product], natural(m.product)))
    return blocks, [doubts[node] for node in sorted(doubts.keys() - found.keys(), key=natural)]


def excitation(graph: Graph, ref: Ref) -> Match:
    """Recognise everything from a gate back to the image it is computed from."""
    gate_kind, logits, notes = gate(graph, ref)
    expand, activated = dense(graph, logits, "second")
    activation_kind, hidden = activation(graph, activated)
    reduce, data = dense(graph, hidden, "first")
    mean = pool(graph, data)
    channels, width = reduce.kernel.sizes
    if expand.kernel.sizes != (width, channels):
        raise Unlike(f"the kernels are {channels} to {width} and {' to '.join(map(str, expand.kernel.sizes))}")
    if (reduce.bias is None) != (expand.bias is None):
        raise Unlike("only one of the two layers has a bias")
    whole = fits(graph, data, channels) and fits(graph, hidden, width) and fits(graph, activated, width)
    if not whole or not fits(graph, logits, channels):
        raise Unlike("a reshape between the layers takes the vectors apart")
    return Match(DensePair(reduce, expand, activation_kind, gate_kind, notes), mean)


def _check_product(graph: Graph, chain: Match, image: Ref, ref: Ref) -> None:
    """Check that the gate scales the channels of the image it was computed from."""
    channels = chain.pair.reduce.kernel.sizes[0]
    if chain.pool.image != image:
        raise Unlike(f"the mean is taken of {chain.pool.image.node!r}, the product with {image.node!r}")
    shape = shape_known(graph, image)
    laid = fits(graph, ref, channels, chain.pool.axis) and _broadcasts(shape_known(graph, ref), chain.pool.axis)
    if not laid or (shape and shape[chain.pool.axis] not in (channels, None)):
        raise Unlike(f"the {channels} gates are not laid along the channels of the image")


def _broadcasts(shape: tuple[int | None, ...] | None, axis: int) -> bool:
    """Whether gates of this shape, if it is known, are the same all over space."""
    if shape is None or len(shape) < 3:
        return True
    return all(size in (1, None) for k, size in enumerate(shape) if k not in (0, axis % len(shape)))


def _candidates(graph: Graph) -> Iterator[tuple[Node, Ref, Ref]]:
    """Yield products of an image with something that was computed, by a layer, from a reduction of its space."""
    images: dict[Ref, set[str]] = {}
    for node in graph.nodes.values():
        if pooled(graph, node):
            images.setdefault(same(graph, node.inputs[0]), set()).add(node.name)
    for node in graph.nodes.values():
        if node.op == "Mul" and len(node.inputs) == 2 and not _GRADIENTS.search(node.name):
            for image, ref in (node.inputs, node.inputs[::-1]):
                source = same(graph, image)
                if source in images and _derives(graph, ref, source, images[source]):
                    yield node, source, ref


def _derives(graph: Graph, ref: Ref, image: Ref, pools: set[str]) -> bool:
    """Whether a way leads back from ``ref`` through a layer to one of the pools, and not through the image itself."""
    states = [(ref, False)]
    seen = set(states)
    while states and len(seen) < _MOST_STEPS:
        here, layer = states.pop()
        node = graph.nodes[here.node]
        if node.name in pools and layer:
            return True
        if here != image and node.op not in _SOURCES:
            following = {(each, layer or node.op in _LAYERS) for each in node.inputs} - seen
            seen |= following
            states.extend(following)
    return False


def _unused_gates(graph: Graph, known: set[str]) -> dict[str, str]:
    """Report complete gates that never meet their image."""
    doubts = {}
    for node in graph.nodes.values():
        if node.op not in ("Sigmoid", "Mul", "RealDiv") or node.name in known or _GRADIENTS.search(node.name):
            continue
        try:
            image = excitation(graph, Ref(node.name)).pool.image.node
        except Unlike:
            continue
        doubts[node.name] = (
            f"{node.name!r} is like the gate of an SE block on {image!r}, but does not multiply that image."
        )
    return doubts
