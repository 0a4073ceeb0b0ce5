"""Where a network starts: its image, in a graph that may read files, queues and iterators before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.find.means import shape_known
from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.ops import OPS
from attn_core.porting.graph.order import ancestors, descendants
from attn_core.porting.graph.types import FLOAT, STRING, type_of
from attn_core.porting.network.batch_statistics import trained
from attn_core.porting.network.boundary import LAYERS, BoundaryError, layers, named
from attn_core.porting.network.clean import rebuilt
from attn_core.porting.network.without_training import SOURCES

_LEAST_RANK = 3  # of a batch of signals, images or volumes


def find_input(graph: Graph, settled: Collection[str], given: str | None = None) -> Ref:
    """Return the image: of all that is fed, what most layers need; what is decoded first is no image yet.

    **Raises** `BoundaryError` if nothing is fed into a layer, or `given` is not in the graph.
    """
    if given is not None:
        return named(graph, given)
    fed = [node.name for node in graph.nodes.values() if node.op in SOURCES and node.name not in settled]
    # Labels reach layers, too, in the gradients of the loss, but not those on the way to it.
    reach = {name: descendants(graph, [name]) for name in fed}
    # Of two towers of one network, one that was built for inference needs no change.
    best = max(fed, key=lambda name: (layers(graph, reach[name]), -trained(graph, reach[name])), default=None)
    if best is None or layers(graph, reach[best]) == 0:
        found = f"what is fed ({', '.join(fed)}) reaches no layer" if fed else "nothing is fed"
        raise BoundaryError(f"{graph.path} does not show the image: {found}; name it with --input NODE.")
    source = _image_output(graph, best)
    return _decoded(graph, source)


def _image_output(graph: Graph, name: str) -> Ref:
    """Return the output of a source that layers need; an iterator gives images and labels."""
    readers = graph.consumers.get(name, ())
    outputs = {ref for node in readers for ref in node.inputs if ref.node == name}

    def reach(output: Ref) -> int:
        own = [node.name for node in readers if output in node.inputs]
        return layers(graph, descendants(graph, own))

    return max(sorted(outputs), key=reach)


# ---- an image that the graph makes itself ----------------------------------------------------------------------------


def _decoded(graph: Graph, source: Ref) -> Ref:
    """Return the first image on the way from what is fed to the first layer.

    What is fed is one, if it holds numbers and nothing between reads files or draws random numbers. Otherwise it is
    the first tensor behind that has the axes of images: what is computed of an image stays in the network.
    """
    chain = list(_to_first_layer(graph, source))
    random = _random(graph)
    known = [_is_computed(graph, ref, before, random) for before, ref in zip([None, *chain], chain, strict=False)]
    # What comes behind the last step that cannot be run: the step's own result first.
    start = max((k for k, each in enumerate(known) if not each), default=0)
    behind = chain[start:]
    if start == 0 and type_of(graph, source) != STRING:
        return source
    for ref in behind:
        if _rank(graph, ref) >= _LEAST_RANK:
            return ref
    return behind[-1]


def _to_first_layer(graph: Graph, source: Ref) -> Iterator[Ref]:
    """Yield the outputs on the way from a source to the first layer, in order."""
    data = descendants(graph, [source.node])
    first = next((node for node in graph.nodes.values() if node.name in data and node.op in LAYERS), None)
    if first is None:
        yield source
        return
    way: list[Ref] = []
    node = first
    while node.name != source.node:
        ref = next((ref for ref in node.inputs if ref.node in data), None)
        if ref is None or ref in way:
            break
        way.append(ref)
        node = graph.nodes[ref.node]
    yield from reversed(way)


def _random(graph: Graph) -> set[str]:
    """Return the nodes that depend on random numbers."""
    return descendants(graph, [node.name for node in graph.nodes.values() if "Random" in node.op])


def _is_computed(graph: Graph, ref: Ref, before: Ref | None, random: Collection[str]) -> bool:
    """Whether an output is computed of the one before it on the way, in the same way in each run."""
    node = graph.nodes[ref.node]
    # Once random numbers have come in, all that follows depends on them: it is asked where they do.
    draws = any(other.node in random for other in node.inputs if other != before)
    return node.op in SOURCES or (node.op in OPS and not draws)


def _rank(graph: Graph, ref: Ref) -> int:
    """Return the number of axes of an output as far as the file tells it, else 0."""
    shape = shape_known(graph, ref)
    if shape is not None:
        return len(shape)
    node = graph.nodes[ref.node]
    if node.op == "Reshape":
        return len(integers(graph, node.inputs[1]) or ())
    return 0


# ---- cutting there ---------------------------------------------------------------------------------------------------


class Cut(NamedTuple):
    """A graph that is fed its image, and the operations that stood before it."""

    graph: Graph
    image: Ref
    before: tuple[str, ...]


def cut(graph: Graph, image: Ref) -> Cut:
    """Let a graph be fed its image, whatever made it."""
    node = graph.nodes[image.node]
    if node.op == "Placeholder":
        return Cut(graph, image, ())
    before = ancestors(graph, [image.node]) - {image.node}
    made = dict.fromkeys(graph.nodes[name].op for name in graph.nodes if name in before)
    # The other outputs of an iterator are labels: it stays, and the image gets a node of its own.
    shared = any(ref.node == image.node and ref != image for each in graph.nodes.values() for ref in each.inputs)
    name = f"{node.name}_image" if shared or image.output else node.name
    fed = _placeholder(graph, image, name)
    nodes = [fed if each.name == name else _reading(each, image, fed) for each in graph.nodes.values()]
    if name not in graph.nodes:
        nodes.append(fed)
    return Cut(rebuilt(graph, nodes), Ref(name), tuple(op for op in made if op != "Const"))


def _reading(node: Node, image: Ref, fed: Node) -> Node:
    if image not in node.inputs:
        return node
    inputs = tuple(Ref(fed.name) if ref == image else ref for ref in node.inputs)
    return Node(node.name, node.op, inputs, node.attributes, node.controls)


def _placeholder(graph: Graph, image: Ref, name: str) -> Node:
    node = node_def_pb2.NodeDef()
    node.attr["dtype"].type = type_of(graph, image) or FLOAT
    shape = node.attr["shape"].shape
    sizes = shape_known(graph, image) or _of_iterator(graph, image) or _of_reshape(graph, image)
    if sizes is None:
        shape.unknown_rank = True
    for size in sizes or ():
        shape.dim.add(size=-1 if size is None else size)
    return Node(name, "Placeholder", (), node.attr)


def _of_iterator(graph: Graph, image: Ref) -> tuple[int | None, ...] | None:
    """Return the shape that an iterator or queue states for what it gives."""
    attributes = graph.nodes[image.node].attributes
    for key in ("output_shapes", "shapes"):
        shapes = attributes[key].list.shape if key in attributes else ()
        if image.output < len(shapes) and not shapes[image.output].unknown_rank:
            return tuple(dim.size if dim.size >= 0 else None for dim in shapes[image.output].dim)
    return None


def _of_reshape(graph: Graph, image: Ref) -> tuple[int | None, ...] | None:
    """Return the shape that a reshape makes, as far as it is stated."""
    node = graph.nodes[image.node]
    sizes = integers(graph, node.inputs[1]) if node.op == "Reshape" and len(node.inputs) == 2 else None
    return None if sizes is None else tuple(None if size is None or size < 0 else size for size in sizes)
