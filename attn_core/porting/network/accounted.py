"""Nothing of a network is left out unseen: layers behind its result.

A wrong turn in a graph, such as a condition whose truth was misread, cuts a network in two. What is left computes
what it should, and every comparison passes, for the original is run up to the same node. So it is asked what the cut
left behind.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    return [name for name in graph.nodes if name in behind and _is_left_out(graph, cleaned, name)]


def beside(graph: Graph, image: Ref, ends: Iterable[Ref]) -> list[str]:
    """Return the layers outside of training that read the image and that none of these results needs."""
    read = descendants(graph, [image.node]) - ancestors(graph, [end.node for end in ends])
    return [
        name for name in graph.nodes if name in read and graph.nodes[name].op in _LAYERS and not is_of_training(name)
    ]


def _is_left_out(graph: Graph, cleaned: Cleaned, name: str) -> bool:
    """Whether a node is a layer of the network that is used, not of its training or of a branch that is not taken."""
    return graph.nodes[name].op in _LAYERS and name not in cleaned.dead and not is_of_training(name)


def refuse(graph: Graph, result: Ref, behind: list[str]) -> NoReturn:
    """Raise a `BoundaryError` that names the first layer behind what was taken for the result."""
    first = graph.nodes[behind[0]]
    raise BoundaryError(
        f"{graph.path}: the result {result.node!r} is not the end of the network: {first.name!r} ({first.op}) "
        f"needs it, and so do {len(behind) - 1} further operations with weights. --output NODE says where it ends."
    )
