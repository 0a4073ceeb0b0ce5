"""Nothing of a network is left out unseen: layers behind its result.

A wrong turn in a graph, such as a condition whose truth was misread, cuts a network in two. What is left computes
what it should, and every comparison passes, for the original is run up to the same node. So it is asked what the cut
left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NoReturn

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.network.batch_statistics import FUSED
from attn_core.porting.network.boundary import LAYERS, BoundaryError
from attn_core.porting.network.clean import Cleaned
from attn_core.porting.network.without_training import is_of_training

# A gradient has layers of these kinds, too, but is of the training by its name.
_LAYERS = LAYERS | FUSED | {"BiasAdd", "Conv2DBackpropInput"}


def left_out(graph: Graph, cleaned: Cleaned, ends: Iterable[Ref]) -> list[str]:
    """Return the layers outside of training that need a result and are none of the network, before it was cleaned."""
    names = {end.node for end in ends}
    behind = descendants(graph, names) - ancestors(graph, names)
    # Those of a branch that is not taken are left out for good.
    return _layers(graph, behind.difference(cleaned.dead))


def beside(graph: Graph, image: Ref, ends: Iterable[Ref]) -> list[str]:
    """Return the layers outside of training that read the image and that none of these results needs."""
    read = descendants(graph, [image.node]) - ancestors(graph, [end.node for end in ends])
    return _layers(graph, read)


def require_joined(graph: Graph, set_to_inference: Graph, image: Ref) -> None:
    """Refuse a graph whose layers know of the image by the statistics of its batch alone: these are constants now."""
    lost = descendants(graph, [image.node]) - descendants(set_to_inference, [image.node])
    for name in _layers(graph, lost):
        raise BoundaryError(
            f"{graph.path}: the layer {name!r} reads the image through statistics of its batch alone, so that it "
            "would not read it outside of training: the graph is damaged, or --output takes a result before it."
        )


def _layers(graph: Graph, names: Collection[str]) -> list[str]:
    """Return the layers among nodes, in the file's order, without those of the training."""
    return [
        name for name in graph.nodes if name in names and graph.nodes[name].op in _LAYERS and not is_of_training(name)
    ]


def refuse(graph: Graph, result: Ref, behind: list[str]) -> NoReturn:
    """Raise a `BoundaryError` that names the first layer behind what was taken for the result."""
    first = graph.nodes[behind[0]]
    raise BoundaryError(
        f"{graph.path}: the result {result.node!r} is not the end of the network: {first.name!r} ({first.op}) "
        f"needs it, and so do {len(behind) - 1} further operations with weights. --output NODE says where it ends."
    )
