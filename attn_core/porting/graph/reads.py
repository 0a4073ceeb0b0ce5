"""What a graph's nodes read: values passed on unchanged, and the variables or constants behind them."""

import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Node, Ref, integers
from attn_core.weights.files.tf1.dtypes import shape_of

SAME = frozenset({"Identity", "IdentityN", "Cast", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot"})
RESHAPED = frozenset({"Reshape", "Squeeze", "ExpandDims", "Transpose", "StridedSlice"})
_READS = frozenset({"ReadVariableOp", "Enter", "Switch", "RefSwitch", "RefEnter"})  # loops and conditions pass them on
VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
FLOATS = (1, 2, 14, 19)  # DataType: float32, float64, bfloat16, float16
_LONGEST = 1000  # steps; no network passes a value on more often, and a hostile file must not keep us
_PART = re.compile(r"(?P<whole>.+)/part_(?P<number>\d+)")


def walk(graph: Graph, ref: Ref, through: frozenset[str]) -> Iterator[Ref]:
    """Yield ``ref``, then what each node of the kinds ``through`` got as its data, up to the first other node."""
    for _ in range(_LONGEST):
        yield ref
        node = graph.nodes[ref.node]
        position = ref.output if node.op == "IdentityN" else 0
        rounds = node.op == "Cast" and node.attributes["DstT"].type not in FLOATS
        cuts = node.op == "StridedSlice" and new_axes(graph, node) is None
        if node.op not in through or position >= len(node.inputs) or rounds or cuts:
            return
        ref = node.inputs[position]


def new_axes(graph: Graph, node: Node) -> tuple[bool, ...] | None:
    """Return which axes are new in the result of an index such as ``[:, None, None, :]``, None for any other index."""
    strides = integers(graph, node.inputs[3]) if len(node.inputs) == 4 else None
    mask = {key: node.attributes[f"{key}_mask"].i for key in ("begin", "end", "new_axis", "ellipsis", "shrink_axis")}
    if not strides or set(strides) != {1} or mask["ellipsis"] or mask["shrink_axis"]:
        return None
    new = tuple(bool(mask["new_axis"] >> axis & 1) for axis in range(len(strides)))
    whole = tuple(bool((mask["begin"] & mask["end"]) >> axis & 1) for axis in range(len(strides)))
    return new if any(new) and all(map(operator.or_, new, whole)) else None


def last(graph: Graph, ref: Ref, through: frozenset[str]) -> Ref:
    """Return the end of `walk`."""
    *_, end = walk(graph, ref, through)
    return end


def same(graph: Graph, ref: Ref) -> Ref:
    """Return the output that first held this very value."""
    return last(graph, ref, SAME)


def vector(graph: Graph, ref: Ref) -> Node:
    """Return the node that computed this value, whatever its axes were called since."""
    return graph.nodes[last(graph, ref, SAME | RESHAPED).node]


@dataclass(frozen=True)
class Stored:
    """An array of weights: a variable, or a constant of a frozen graph, perhaps in parts along one axis."""

    name: str
    shape: tuple[int, ...]
    parts: tuple[Node, ...] = ()
    axis: int = 0

    @property
    def frozen(self) -> bool:
        """Whether the graph holds the values itself."""
        return any(part.op == "Const" for part in self.parts)

    def values(self, graph: Graph) -> NDArray[Any]:
        """Return the values of a frozen array."""
        arrays = [graph.constant(part) for part in self.parts]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, self.axis)


def stored(graph: Graph, ref: Ref) -> Stored | None:
    """Find the weights that an output hands on unchanged; None if it computes something."""
    node = graph.nodes[last(graph, ref, SAME | _READS).node]
    if node.op != "ConcatV2":
        return _single(graph, node)
    axis = integers(graph, node.inputs[-1]) if node.inputs else None
    parts = [_single(graph, graph.nodes[last(graph, each, SAME | _READS).node]) for each in node.inputs[:-1]]
    known = [part for part in parts if part]
    if not axis or axis[0] is None or len(known) != len(parts):
        return None
    return _joined(known, axis[0])


def _single(graph: Graph, node: Node) -> Stored | None:
    """Read the name and shape of a variable or constant."""
    if node.op not in VARIABLES and node.op != "Const":
        return None
    proto = node.attributes["value"].tensor.tensor_shape if node.op == "Const" else node.attributes["shape"].shape
    if proto.unknown_rank or any(dim.size < 0 for dim in proto.dim):
        return None
    shared = node.attributes["shared_name"].s.decode("utf-8", "replace") if node.op == "VarHandleOp" else ""
    return Stored(shared or node.name, shape_of(proto, f"{graph.path}: {node.name!r}"), (node,))


def is_weight(node: Node) -> bool:
    """Whether a node is a variable, or the constant that it became in a frozen graph."""
    if node.op != "Const":
        return node.op in VARIABLES
    tensor = node.attributes["value"].tensor
    return tensor.dtype in FLOATS and bool(tensor.tensor_shape.dim)


def whole_name(name: str) -> str:
    """Return the name of the variable that a part belongs to."""
    match = _PART.fullmatch(name)
    return match["whole"] if match else name


def _joined(parts: list[Stored], axis: int) -> Stored | None:
    """Put the parts of a partitioned variable together, if they are all parts of one and in order."""
    matches = [_PART.fullmatch(part.name) for part in parts]
    names = [(match["whole"], int(match["number"])) for match in matches if match]
    shapes = [part.shape for part in parts]
    if not names or names != [(names[0][0], number) for number in range(len(parts))]:
        return None
    if not 0 <= axis < len(shapes[0]) or len({shape[:axis] + shape[axis + 1 :] for shape in shapes}) != 1:
        return None
    total = (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
    return Stored(names[0][0], total, tuple(part.parts[0] for part in parts), axis)
