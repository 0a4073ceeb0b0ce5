"""Recognising the layers of an SE block in a graph, from the gate back to the image.

Each function takes an output and tells what computed it, or raises `Unlike` with the reason why it is not known.
"""

from attn_core.porting.find.kernels import DenseLayer, bias, kernel
from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.porting.graph.reads import FLOATS, RESHAPED, SAME, Stored, new_axes, same, vector, walk
from attn_core.spec.primitives import Activation, Gate

_ADDS = frozenset({"Add", "AddV2", "BiasAdd"})
_PRODUCTS = frozenset({"Mul", "RealDiv", "Div"})
_CLIPS = frozenset({"Minimum", "Maximum", "ClipByValue"})


class Unlike(Exception):  # noqa: N818 - a verdict on the graph, not a failure
    """Why a part of a graph is no SE block."""


def dense(graph: Graph, ref: Ref, what: str) -> tuple[DenseLayer, Ref]:
    """Recognise `data @ kernel + bias`."""
    node, offset = vector(graph, ref), None
    if node.op in _ADDS and len(node.inputs) == 2:
        offset, data = _offset(graph, node, what)
        node = vector(graph, data)
    if node.op not in ("MatMul", "Conv2D") or len(node.inputs) != 2 or node.attributes["transpose_a"].b:
        raise Unlike(f"the {what} layer is not dense but {shown(node)}")
    matrix = kernel(graph, node.inputs[1], node.attributes["transpose_b"].b)
    if matrix is None:
        raise Unlike(f"the {what} layer {node.name!r} has no kernel of the form (in, out) or (1, 1, in, out)")
    if offset and offset.shape[-1] != matrix.sizes[1]:
        raise Unlike(f"the bias {offset.name!r} of {offset.shape[-1]} numbers does not fit {matrix.sizes[1]} outputs")
    return DenseLayer(matrix, offset), node.inputs[0]


def _offset(graph: Graph, node: Node, what: str) -> tuple[Stored, Ref]:
    """Tell the bias of an addition from the data."""
    first, second = node.inputs
    for data, candidate in ((first, second), (second, first)):
        if found := bias(graph, candidate):
            return found, data
    raise Unlike(f"the {what} layer ends in {shown(node)}, which adds no stored bias")


def activation(graph: Graph, ref: Ref) -> tuple[Activation, Ref]:
    """Recognise relu and swish."""
    node = vector(graph, ref)
    if node.op == "Relu" and node.inputs:
        return "relu", node.inputs[0]
    if node.op.startswith("swish_") and node.inputs:  # TensorFlow up to 1.13 kept it as a function of this name
        return "silu", node.inputs[0]
    if node.op == "Mul" and len(node.inputs) == 2:
        first, second = node.inputs
        for data, gate in ((first, second), (second, first)):
            sigmoid = graph.nodes[same(graph, gate).node]
            if sigmoid.op == "Sigmoid" and sigmoid.inputs and same(graph, sigmoid.inputs[0]) == same(graph, data):
                return "silu", data
    raise Unlike(f"the hidden activation is {shown(node)}, not relu or swish")


def gate(graph: Graph, ref: Ref) -> tuple[Gate, Ref, tuple[str, ...]]:
    """Recognise the sigmoid and relu6(x + 3) / 6."""
    node = vector(graph, ref)
    if node.op == "Sigmoid" and node.inputs:
        return "sigmoid", node.inputs[0], ()
    if node.op in _PRODUCTS and (parts := _scaled(graph, node)):
        data, factor = parts
        relu6 = vector(graph, data)
        shift = _shifted(graph, vector(graph, relu6.inputs[0])) if relu6.op == "Relu6" and relu6.inputs else None
        if shift and shift[1] == 3 and abs(6 * factor - 1) < 1e-4:
            exact = abs(6 * factor - 1) < 1e-6
            notes = () if exact else (f"the gate multiplies by {factor:.6g} where the block divides by 6",)
            return "hard_sigmoid", shift[0], notes
    if node.op in _CLIPS and _old_hard_sigmoid(graph, node):
        raise Unlike("the gate is the hard sigmoid of old Keras, 0.2 x + 0.5, for which the block has no field")
    raise Unlike(f"the gate is {shown(node)}, not a sigmoid or relu6(x + 3) / 6")


def _scaled(graph: Graph, node: Node) -> tuple[Ref, float] | None:
    """Split a product with a constant; a division becomes a product."""
    for position, ref in enumerate(node.inputs):
        number = _number(graph, ref)
        if number and len(node.inputs) == 2 and (node.op == "Mul" or position == 1):
            return node.inputs[1 - position], number if node.op == "Mul" else 1 / number
    return None


def _shifted(graph: Graph, node: Node) -> tuple[Ref, float] | None:
    """Split a sum with a constant."""
    for position, ref in enumerate(node.inputs):
        number = _number(graph, ref)
        if number is not None and node.op in ("Add", "AddV2") and len(node.inputs) == 2:
            return node.inputs[1 - position], number
    return None


def _old_hard_sigmoid(graph: Graph, node: Node) -> bool:
    for _ in range(2):
        if node.op in _CLIPS and node.inputs:
            node = vector(graph, node.inputs[0])
    shift = _shifted(graph, node)
    scaled = _scaled(graph, vector(graph, shift[0])) if shift else None
    return bool(shift and scaled and abs(shift[1] - 0.5) < 1e-6 and abs(scaled[1] - 0.2) < 1e-6)


def _number(graph: Graph, ref: Ref) -> float | None:
    """Return a constant of one element."""
    node = graph.nodes[same(graph, ref).node]
    if node.op != "Const" or node.attributes["value"].tensor.dtype not in FLOATS:
        return None
    value = graph.constant(node)
    return float(value) if value.shape == () else None


def fits(graph: Graph, ref: Ref, width: int, axis: int | None = None) -> bool:
    """Whether each reshape on the way to ``ref`` keeps vectors of this width together (at ``axis``, if it matters)."""
    for each in walk(graph, ref, SAME | RESHAPED):
        node = graph.nodes[each.node]
        if node.op == "StridedSlice" and axis is not None and not _lays_along(new_axes(graph, node), axis):
            return False
        target = integers(graph, node.inputs[1]) if node.op == "Reshape" and len(node.inputs) == 2 else None
        if target is None:
            continue
        free = any(entry in (-1, None) for entry in target[1:])
        if width not in target and not free:
            return False
        if axis is not None and len(target) > 2 and target[axis] not in (width, -1, None):
            return False
    return True


def _lays_along(new: tuple[bool, ...] | None, axis: int) -> bool:
    """Whether an index puts the second axis of a vector (batch, channels) at ``axis``, if it adds axes."""
    kept = [place for place, added in enumerate(new or ()) if not added]
    return new is None or (len(kept) == 2 and kept[1] == axis % len(new))


def shown(node: Node) -> str:
    """Name a node in a sentence."""
    return f"{node.op} ({node.name!r})"
