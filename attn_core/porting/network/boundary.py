"""Where a network starts and ends: its image and its result, in a graph that may hold a whole training."""

from collections.abc import Collection, Iterable, Mapping

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.network.verdicts import numbers_behind
from attn_core.porting.network.without_training import SOURCES, is_of_training, made_of_the_image

_LAYERS = frozenset({"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2"})


class BoundaryError(ValueError):
    """A graph that does not tell where its network starts or ends; the message says how to name it."""


def _layers(graph: Graph, names: Iterable[str]) -> int:
    """Return how many of these nodes are layers."""
    return sum(graph.nodes[name].op in _LAYERS for name in names)


def _named(graph: Graph, text: str) -> Ref:
    """Return the output that a user names as TensorFlow does: `name:0`, where 0 need not be said."""
    name, _, output = text.partition(":")
    number = output or "0"
    if name not in graph.nodes or not number.isdigit():
        raise BoundaryError(f"{graph.path} has no node {text!r} on the way from its image to its result.")
    return Ref(name, int(number))


# ---- the image -------------------------------------------------------------------------------------------------------


def find_input(graph: Graph, settled: Collection[str], given: str | None = None) -> Ref:
    """Return the image: of all that is fed, what most layers need.

    **Raises** `BoundaryError` if nothing is fed into a layer, or `given` is not in the graph.
    """
    if given is not None:
        return _named(graph, given)
    fed = [node.name for node in graph.nodes.values() if node.op in SOURCES and node.name not in settled]
    # Labels reach layers, too, in the gradients of the loss, but not those on the way to it.
    reach = {name: _layers(graph, descendants(graph, [name])) for name in fed}
    best = max(fed, key=reach.__getitem__, default=None)
    if best is None or reach[best] == 0:
        found = f"what is fed ({', '.join(fed)}) reaches no layer" if fed else "nothing is fed"
        raise BoundaryError(f"{graph.path} does not show the image: {found}; name it with --input NODE.")
    return _image_output(graph, best)


def _image_output(graph: Graph, name: str) -> Ref:
    """Return the output of a source that layers need; an iterator gives images and labels."""
    readers = graph.consumers.get(name, ())
    outputs = {ref for node in readers for ref in node.inputs if ref.node == name}

    def reach(output: Ref) -> int:
        own = [node.name for node in readers if output in node.inputs]
        return _layers(graph, descendants(graph, own))

    return max(sorted(outputs), key=reach)


# ---- the result ------------------------------------------------------------------------------------------------------


def find_output(
    graph: Graph, image: Ref, named: Collection[Ref] = (), given: str | None = None
) -> tuple[Ref, list[str]]:
    """Return the result: of all that is made of the image alone, what needs most layers; and what else would do.

    Of several, what the author gave a name of its own is taken (`named`), or else what comes last. What goes over the
    batch is a loss. **Raises** `BoundaryError` if nothing needs a layer, or `given` is not in the graph.
    """
    if given is not None:
        return _named(graph, given), []
    needed = {ref: ancestors(graph, [ref.node]) for ref in _candidates(graph, image, named)}
    layers = {ref: _layers(graph, names) for ref, names in needed.items()}
    most = max(layers.values(), default=0)
    if not most:
        raise BoundaryError(f"{graph.path} does not show the network's result: name it with --output NODE.")
    best = [ref for ref, count in layers.items() if count == most]
    # The name decides last, for candidates come in any order.
    best.sort(key=lambda ref: (ref in named, len(needed[ref]), ref))
    *others, result = best
    return result, [ref.node for ref in others]


def _candidates(graph: Graph, image: Ref, named: Collection[Ref]) -> set[Ref]:
    """Return what nothing reads on the way from the image, but for losses; and what the author named."""
    alone = made_of_the_image(graph, image)
    found = {ref for ref in named if ref.node in alone}
    for name in alone:
        node = graph.nodes[name]
        is_read = any(reader.name in alone for reader in graph.consumers.get(name, ()))
        if is_read or _goes_over_batch(graph, node):
            continue
        found.add(numbers_behind(graph, node, alone))
    return found


def _goes_over_batch(graph: Graph, node: Node) -> bool:
    """Whether a node is a mean or sum over the batch."""
    if node.op not in ("Mean", "Sum") or len(node.inputs) != 2:
        return False
    axes = integers(graph, node.inputs[1])
    return axes is not None and 0 in axes


def given_names(graph: Graph, alias: Mapping[Ref, Ref]) -> set[Ref]:
    """Return what identities at the end of a graph stand for: outputs that the author named."""
    named = set()
    for node in graph.nodes.values():
        if node.op != "Identity" or node.name in graph.consumers or is_of_training(node.name):
            continue
        end = Ref(node.name)
        if end in alias:
            named.add(alias[end])
    return named
