"""Networks of several results, such as detectors.

In the graph they become one array, (images, numbers): each head flattened, one after the other. So one node is the
result, and everything that runs, differentiates or compares a network does so for all heads at once. In the source
they stay what they are, the values of a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import numpy as np
from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.types import FLOAT, type_of
from attn_core.porting.network.clean import rebuilt
from attn_core.porting.network.steps.steps import Array, canonical

JOINED = "attn_heads"  # the node that holds all heads
_INT32 = 3  # DataType


def joined(graph: Graph, heads: Iterable[Ref]) -> Graph:
    """Return the graph with a node that joins these outputs; TensorFlow knows all operations that are added."""
    return rebuilt(graph, [*graph.nodes.values(), *_nodes(graph, list(heads))])


def _nodes(graph: Graph, heads: Sequence[Ref]) -> Iterator[Node]:
    kind = type_of(graph, heads[0]) or FLOAT
    yield _constant(f"{JOINED}/begin", [0])
    yield _constant(f"{JOINED}/end", [1])
    yield _constant(f"{JOINED}/rest", -1)
    yield _constant(f"{JOINED}/axis", 1)
    flat = []
    for k, head in enumerate(heads):
        name = f"{JOINED}/{k}"
        # (images, -1): the number of images is the graph's own affair.
        yield _node(f"{name}/shape", "Shape", [head], T=kind, out_type=_INT32)
        ends = [Ref(f"{name}/shape"), Ref(f"{JOINED}/begin"), Ref(f"{JOINED}/end"), Ref(f"{JOINED}/end")]
        yield _node(f"{name}/images", "StridedSlice", ends, T=_INT32, Index=_INT32, shrink_axis_mask=1)
        yield _node(f"{name}/sizes", "Pack", [Ref(f"{name}/images"), Ref(f"{JOINED}/rest")], T=_INT32, N=2, axis=0)
        yield _node(f"{name}/flat", "Reshape", [head, Ref(f"{name}/sizes")], T=kind, Tshape=_INT32)
        flat.append(Ref(f"{name}/flat"))
    yield _node(JOINED, "ConcatV2", [*flat, Ref(f"{JOINED}/axis")], T=kind, Tidx=_INT32, N=len(flat))


def _node(name: str, op: str, inputs: Sequence[Ref], **attributes: int) -> Node:
    made = node_def_pb2.NodeDef()
    for key, value in attributes.items():
        if key.startswith(("T", "out_type", "Index")):
            made.attr[key].type = value
        else:
            made.attr[key].i = value
    return Node(name, op, tuple(inputs), made.attr)


def _constant(name: str, values: int | list[int]) -> Node:
    made = node_def_pb2.NodeDef()
    made.attr["dtype"].type = _INT32
    tensor = made.attr["value"].tensor
    tensor.dtype = _INT32
    tensor.tensor_shape.SetInParent()
    if isinstance(values, list):
        tensor.tensor_shape.dim.add(size=len(values))
    tensor.int_val.extend(np.ravel(values).tolist())
    return Node(name, "Const", (), made.attr)


def apart(array: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Return the heads in a joined array, by their shapes in the graph."""
    ends = np.cumsum([prod(shape[1:]) for shape in shapes])
    pieces = np.split(array, ends[:-1], axis=1)
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]


def in_canonical_order(array: Array, shapes: Sequence[tuple[int, ...]], axes: Mapping[str, tuple[int, ...]]) -> Array:
    """Return a joined array of heads in canonical order."""
    heads = [canonical(head, each) for head, each in zip(apart(array, shapes), axes.values(), strict=True)]
    return np.concatenate([head.reshape(len(head), -1) for head in heads], axis=1)
