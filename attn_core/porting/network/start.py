"""Where a network starts: its image, in a graph that may read files, queues and iterators before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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

    def merit(name: str) -> tuple[int, int]:
        # Of two towers of one network, one that was built for inference needs no change.
        return layers(graph, reach[name]), -trained(graph, reach[name])

    best = max(fed, key=merit, default=None)
    if best is None or layers(graph, reach[best]) == 0:
        names = ", ".join(fed)
        found = f"what is fed ({names}) reaches no layer" if fed else "nothing is fed"
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
    start = _last_unknown(graph, chain)
    if start == 0 and type_of(graph, source) != STRING:
        return source
    # What comes behind the last step that cannot be run: the step's own result first.
    behind = chain[start:]
    for ref in behind:
        if _rank(graph, ref) >= _LEAST_RANK:
            return ref
    return behind[-1]


def _last_unknown(graph: Graph, chain: Sequence[Ref]) -> int:
    """Return where on the way the last step stands that cannot be run; 0 if there is none."""
    random = _random(graph)
    before: Ref | None = None
    found = 0
    for place, ref in enumerate(chain):
        if not _is_computed(graph, ref, before, random):
            found = place
        before = ref
    return found


def _to_first_layer(graph: Graph, source: Ref) -> Iterator[Ref]:
    """Yield the outputs on the way from a source to the first layer, in order."""
    data = descendants(graph, [source.node])
    found = (node for node in graph.nodes.values() if node.name in data and node.op in LAYERS)
    node = next(found, None)
    if node is None:
        yield source
        return
    way: list[Ref] = []
    while node.name != source.node:
        ref = next((ref for ref in node.inputs if ref.node in data), None)
        if ref is None or ref in way:
            break
        way.append(ref)
        node = graph.nodes[ref.node]
    yield from reversed(way)


def _random(graph: Graph) -> set[str]:
    """Return the nodes that depend on random numbers."""
    draws = [node.name for node in graph.nodes.values() if "Random" in node.op]
    return descendants(graph, draws)


def _is_computed(graph: Graph, ref: Ref, before: Ref | None, random: Collection[str]) -> bool:
    """Whether an output is computed of the one before it on the way, in the same way in each run."""
    node = graph.nodes[ref.node]
    # Once random numbers have come in, all that follows depends on them: it is asked where they do.
    draws = any(other.node in random for other in node.inputs if other != before)
    is_known = node.op in OPS and not draws
    return is_known or node.op in SOURCES


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
    made = _kinds(node for node in graph.nodes.values() if node.name in before)
    # The other outputs of an iterator are labels: it stays, and the image gets a node of its own.
    is_apart = image.output > 0 or _is_shared(graph, image)
    name = f"{node.name}_image" if is_apart else node.name
    fed = _placeholder(graph, image, name)
    nodes = {each.name: _reading(each, image, fed) for each in graph.nodes.values()}
    nodes[name] = fed
    return Cut(rebuilt(graph, nodes.values()), Ref(name), made)


def _kinds(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Return the operations of nodes, each once; a constant does nothing."""
    ops = dict.fromkeys(node.op for node in nodes)
    ops.pop("Const", None)
    return tuple(ops)


def _is_shared(graph: Graph, image: Ref) -> bool:
    """Whether something reads another output of the node that gives the image."""
    read = {ref for node in graph.nodes.values() for ref in node.inputs}
    return any(ref.node == image.node and ref != image for ref in read)


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
        sizes = ()
    for size in sizes:
        number = -1 if size is None else size  # as TensorFlow writes a size that is open
        shape.dim.add(size=number)
    return Node(name, "Placeholder", (), node.attr)


def _of_iterator(graph: Graph, image: Ref) -> tuple[int | None, ...] | None:
    """Return the shape that an iterator or queue states for what it gives."""
    attributes = graph.nodes[image.node].attributes
    for key in ("output_shapes", "shapes"):
        shapes = attributes[key].list.shape if key in attributes else ()
        if image.output >= len(shapes):
            continue
        shape = shapes[image.output]
        if not shape.unknown_rank:
            return tuple(dim.size if dim.size >= 0 else None for dim in shape.dim)
    return None


def _of_reshape(graph: Graph, image: Ref) -> tuple[int | None, ...] | None:
    """Return the shape that a reshape makes, as far as it is stated."""
    node = graph.nodes[image.node]
    if node.op != "Reshape" or len(node.inputs) != 2:
        return None
    sizes = integers(graph, node.inputs[1])
    if sizes is None:
        return None
    return tuple(None if size is None or size < 0 else size for size in sizes)
