"""Recognising the mean over space in a graph."""

from dataclasses import dataclass

from attn_core.porting.find.dense import Unlike, shown
from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.reads import same, vector

REDUCTIONS = frozenset({"Mean", "Max", "Sum"})
WINDOWS = frozenset({"AvgPool", "MaxPool", "MaxPoolV2"})
_SPACES = {  # axes of the mean, rank of the image where its file does not say it: where the channels are
    (1, 2): (4, -1),
    (2, 3): (4, 1),
    (1, 2, 3): (5, -1),
    (2, 3, 4): (5, 1),
    (-3, -2): (4, -1),
    (-2, -1): (4, 1),
    (-4, -3, -2): (5, -1),
    (-3, -2, -1): (5, 1),
}


@dataclass(frozen=True)
class Pool:
    """The mean over the space of an image, whose channels lie on `axis` (1 or -1)."""

    image: Ref
    axis: int


def pool(graph: Graph, ref: Ref) -> Pool:
    """Recognise a mean over all space and nothing else."""
    node = vector(graph, ref)
    if node.op == "Mean" and len(node.inputs) == 2:
        image = same(graph, node.inputs[0])
        return Pool(image, spatial(graph, node))
    if node.op == "AvgPool" and node.inputs:
        return Pool(same(graph, node.inputs[0]), _whole_window(graph, node))
    raise Unlike(f"what enters the first layer is {shown(node)}, not a mean over space")


def spatial(graph: Graph, node: Node) -> int:
    """Return where the channels are that a reduction over space leaves."""
    axes = integers(graph, node.inputs[1])
    if axes is None or None in axes:
        raise Unlike(f"the file does not say over which axes {shown(node)} goes")
    known = tuple(sorted(axis for axis in axes if axis is not None))
    shape = shape_known(graph, node.inputs[0])
    rank = len(shape) if shape else None
    if rank is not None:
        known = tuple(sorted(axis % rank if -rank <= axis < rank else axis for axis in known))
        for axis, space in ((-1, range(1, rank - 1)), (1, range(2, rank))):
            if rank >= 3 and known == tuple(space):
                return axis
    elif known in _SPACES:
        return _SPACES[known][1]
    raise Unlike(f"{shown(node)} goes over the axes {list(known)}, which are not the space of an image")


def _whole_window(graph: Graph, node: Node) -> int:
    """Check that a pooling window covers the whole image, and return where the channels are."""
    window, strides = tuple(node.attributes["ksize"].list.i), tuple(node.attributes["strides"].list.i)
    axis = 1 if node.attributes["data_format"].s == b"NCHW" else -1
    shape = shape_known(graph, node.inputs[0])
    space = slice(2, None) if axis == 1 else slice(1, -1)
    if shape is None or len(shape) != len(window) or None in shape[space]:
        raise Unlike(
            f"{shown(node)} averages windows of {list(window[space])}, and the file gives no size of the image"
        )
    whole = window[space] == shape[space] and window[0] == window[axis] == 1
    if not whole or (node.attributes["padding"].s != b"VALID" and strides[space] != window[space]):
        raise Unlike(f"{shown(node)} averages windows of {list(window[space])} in an image of {list(shape[space])}")
    return axis


def shape_known(graph: Graph, ref: Ref) -> tuple[int | None, ...] | None:
    """Return the shape that the file states for an output, None for sizes it leaves open."""
    node = graph.nodes[ref.node]
    shapes = node.attributes["_output_shapes"].list.shape if "_output_shapes" in node.attributes else ()
    if len(shapes) > ref.output:
        proto = shapes[ref.output]
    elif node.op == "Placeholder" and node.attributes["shape"].HasField("shape"):
        proto = node.attributes["shape"].shape
    else:
        return None
    return None if proto.unknown_rank else tuple(dim.size if dim.size >= 0 else None for dim in proto.dim)


def pooled(graph: Graph, node: Node) -> bool:
    """Whether a node reduces the space of an image, in a way that `pool` may or may not accept."""
    if node.op in WINDOWS:
        return bool(node.inputs)
    if node.op not in REDUCTIONS or len(node.inputs) != 2:
        return False
    axes = integers(graph, node.inputs[1])
    return axes is None or (0 not in axes and axes not in ((-1,), (3,), ()))
