"""Where a network starts and ends: its image and its result, in a graph that may hold a whole training."""

import re
from collections.abc import Collection, Mapping

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.order import ancestors, descendants

_FLOATS = (1, 2, 14, 19)  # DataType
_LAYERS = frozenset({"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2"})
_SOURCES = frozenset(
    {"Placeholder", "PlaceholderWithDefault", "IteratorGetNext", "QueueDequeueV2", "QueueDequeueManyV2"}
)
_VERDICTS = frozenset({"ArgMax", "ArgMin", "TopKV2", "InTopK", "InTopKV2", "Cast", "Equal", "Reshape", "Squeeze"})
_TRAINING = re.compile(r"(^|/)(gradients(_\d+)?|summaries|save(_\d+)?)/|(^|/)(Assign|Apply|Scatter)|Summary")


class BoundaryError(ValueError):
    """A graph that does not tell where its network starts or ends; the message says how to name it."""


def find_input(graph: Graph, settled: Collection[str], given: str | None = None) -> Ref:
    """Return the image: of all that is fed, what most layers need.

    **Raises** `BoundaryError` if nothing is fed into a layer, or `given` is not in the graph.
    """
    if given is not None:
        return _named(graph, given)
    reach = {
        node.name: sum(graph.nodes[name].op in _LAYERS for name in descendants(graph, [node.name]))
        for node in graph.nodes.values()
        if node.op in _SOURCES and node.name not in settled
    }
    best = max(reach, key=lambda name: reach[name], default=None)
    if best is None or reach[best] == 0:
        fed = f"what is fed ({', '.join(reach)}) reaches no layer" if reach else "nothing is fed"
        raise BoundaryError(f"{graph.path} does not show the image: {fed}; name it with --input NODE.")
    return _image_output(graph, best)


def _image_output(graph: Graph, name: str) -> Ref:
    """Return the output of a source that layers need; an iterator gives images and labels."""
    outputs = sorted({ref for node in graph.consumers.get(name, ()) for ref in node.inputs if ref.node == name})
    readers = {ref: [n.name for n in graph.consumers[name] if ref in n.inputs] for ref in outputs}
    return max(outputs, key=lambda ref: sum(graph.nodes[n].op in _LAYERS for n in descendants(graph, readers[ref])))


def find_output(
    graph: Graph, image: Ref, named: Collection[Ref] = (), given: str | None = None
) -> tuple[Ref, list[str]]:
    """Return the result: of all that is made of the image alone, what needs most layers; and what else would do.

    Of several, what the author gave a name of its own is taken (`named`), or else what comes last. What goes over the
    batch is a loss. **Raises** `BoundaryError` if nothing needs a layer, or `given` is not in the graph.
    """
    if given is not None:
        return _named(graph, given), []
    alone = _made_of_the_image(graph, image)
    ends = [name for name in alone if not any(node.name in alone for node in graph.consumers.get(name, ()))]
    values = {_value(graph, graph.nodes[name], alone) for name in ends if not _over_batch(graph, graph.nodes[name])}
    values |= {ref for ref in named if ref.node in alone}
    needed = {ref: ancestors(graph, [ref.node]) for ref in values}
    layers = {ref: sum(graph.nodes[each].op in _LAYERS for each in found) for ref, found in needed.items()}
    most = max(layers.values(), default=0)
    if not most:
        raise BoundaryError(f"{graph.path} does not show the network's result: name it with --output NODE.")
    found = [ref for ref, count in layers.items() if count == most]
    found.sort(key=lambda ref: (ref in named, len(needed[ref]), ref))
    return found[-1], [ref.node for ref in found[:-1]]


def _over_batch(graph: Graph, node: Node) -> bool:
    """Whether a node is a mean or sum over the batch."""
    axes = integers(graph, node.inputs[1]) if node.op in ("Mean", "Sum") and len(node.inputs) == 2 else None
    return axes is not None and 0 in axes


def _named(graph: Graph, text: str) -> Ref:
    name, _, output = text.partition(":")
    if name not in graph.nodes or not (output or "0").isdigit():
        raise BoundaryError(f"{graph.path} has no node {text!r} on the way from its image to its result.")
    return Ref(name, int(output or 0))


def _made_of_the_image(graph: Graph, image: Ref) -> set[str]:
    """Return the nodes that need the image and nothing else that is fed, and do not belong to the training."""
    sources = (node for node in graph.nodes.values() if node.op in _SOURCES and not node.inputs)
    foreign = descendants(graph, [node.name for node in sources if node.name != image.node and not is_scalar(node)])
    readers = [node.name for node in graph.consumers.get(image.node, ()) if image in node.inputs]
    own = descendants(graph, readers) - foreign
    training = descendants(graph, [name for name in own if _TRAINING.search(name) or _trains(graph.nodes[name])])
    updates = {name for name in own - training if _only_read_by(graph, name, training)}
    return own - training - updates


def is_scalar(node: Node) -> bool:
    """Whether a placeholder is for a single number, such as a rate; labels are not."""
    shape = node.attributes["shape"].shape
    return node.op.startswith("Placeholder") and not shape.unknown_rank and not shape.dim


def _trains(node: Node) -> bool:
    return node.op.startswith(("Assign", "Apply", "ResourceApply", "Scatter")) or node.op.endswith(
        ("Summary", "SummaryV2")
    )


def _only_read_by(graph: Graph, name: str, training: Collection[str]) -> bool:
    """Whether a value is there for the training alone: what moves an average, for instance."""
    readers = graph.consumers.get(name, ())
    return bool(readers) and all(node.name in training and _trains(node) for node in readers)


def _value(graph: Graph, node: Node, alone: Collection[str]) -> Ref:
    """Return the numbers behind a verdict: the scores behind the class."""
    while node.op in _VERDICTS and node.inputs and node.inputs[0].node in alone and _is_integer(node):
        node = graph.nodes[node.inputs[0].node]
    return Ref(node.name)


def _is_integer(node: Node) -> bool:
    kinds = {"Cast": "DstT", "Reshape": "T", "Squeeze": "T"}
    return node.op not in kinds or node.attributes[kinds[node.op]].type not in _FLOATS


def given_names(graph: Graph, alias: Mapping[Ref, Ref]) -> set[Ref]:
    """Return what identities at the end of a graph stand for: outputs that the author named."""
    ends = (n for n in graph.nodes.values() if n.op == "Identity" and n.name not in graph.consumers)
    return {alias[Ref(node.name)] for node in ends if Ref(node.name) in alias and not _TRAINING.search(node.name)}
