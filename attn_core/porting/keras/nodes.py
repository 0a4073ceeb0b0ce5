"""Writing the nodes of a graph, in the operations of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.types import FLOAT

INT32 = 3  # DataType
_TYPES = ("T", "U", "dtype", "Tidx", "Tshape", "Tpaddings", "Tperm", "Tdim", "out_type", "Index")


class Tensor(NamedTuple):
    """An output, and how many axes it has."""

    ref: Ref
    rank: int


class Nodes:
    """The nodes written so far; `arrays` are the model's weights by their names."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = arrays
        self.written: dict[str, Node] = {}

    def add(self, op: str, name: str, *inputs: Ref, **attributes: Any) -> Ref:
        """Write a node; a name that is there gets a number, as in TensorFlow."""
        proto = node_def_pb2.NodeDef()
        for key, value in attributes.items():
            _set(proto.attr[key], key, value)
        free = self._free(name)
        self.written[free] = Node(free, op, inputs, proto.attr)
        return Ref(free)

    def of_floats(self, op: str, name: str, *inputs: Ref, **attributes: Any) -> Ref:
        """Write a node that computes on real numbers."""
        return self.add(op, name, *inputs, T=FLOAT, **attributes)

    def placeholder(self, name: str, shape: Sequence[int | None]) -> Tensor:
        """Write what is fed: an image."""
        ref = self.add("Placeholder", name, dtype=FLOAT)
        sizes = self.written[ref.node].attributes["shape"].shape
        for size in shape:
            sizes.dim.add(size=-1 if size is None else size)
        return Tensor(ref, len(shape))

    def integers(self, name: str, values: Sequence[int] | Sequence[Sequence[int]] | int) -> Ref:
        """Write a constant of whole numbers."""
        return self._constant(name, np.asarray(values, np.int32))

    def number(self, name: str, value: float | Sequence[float]) -> Ref:
        """Write a constant number, or a vector of some."""
        return self._constant(name, np.asarray(value, np.float32))

    def variable(self, name: str) -> Ref:
        """Write one of the model's arrays; one that is there is read again."""
        if name in self.written:
            return Ref(name)
        ref = self.add("VariableV2", name, dtype=FLOAT)
        shape = self.written[name].attributes["shape"].shape
        shape.SetInParent()  # of a single number there are no sizes
        for size in self.arrays[name].shape:
            shape.dim.add(size=size)
        return ref

    # ---- what several layers need ------------------------------------------------------------------------------------

    def binary(self, op: str, name: str, first: Tensor, second: Ref) -> Tensor:
        """Write an operation of a tensor and something that lies against it."""
        return Tensor(self.of_floats(op, name, first.ref, second), first.rank)

    def unary(self, op: str, name: str, x: Tensor, **attributes: Any) -> Tensor:
        """Write an operation on each number."""
        return Tensor(self.of_floats(op, name, x.ref, **attributes), x.rank)

    def reshaped(self, name: str, x: Tensor, sizes: Sequence[int]) -> Tensor:
        """Give the images of a batch other sizes, of which one may be -1."""
        shape = self.add("Shape", f"{name}/Shape", x.ref, T=FLOAT, out_type=INT32)
        batch = self._entries(f"{name}/batch", shape, 0, 1, shrink=True)
        rest = [self.integers(f"{name}/sizes/{k}", int(size)) for k, size in enumerate(sizes)]
        target = self.add("Pack", f"{name}/shape", batch, *rest, T=INT32, N=1 + len(rest), axis=0)
        return Tensor(self.add("Reshape", f"{name}/Reshape", x.ref, target, T=FLOAT, Tshape=INT32), 1 + len(sizes))

    def sizes(self, name: str, x: Tensor, start: int, stop: int) -> Ref:
        """Write some of the sizes of a tensor, as one vector."""
        shape = self.add("Shape", f"{name}/Shape", x.ref, T=FLOAT, out_type=INT32)
        return self._entries(f"{name}/sizes", shape, start, stop, shrink=False)

    def transposed(self, name: str, x: Tensor, order: Sequence[int]) -> Tensor:
        """Write a tensor with its axes in another order."""
        perm = self.integers(f"{name}/perm", list(order))
        return Tensor(self.add("Transpose", f"{name}/transpose", x.ref, perm, T=FLOAT, Tperm=INT32), x.rank)

    def expanded(self, name: str, ref: Ref, axis: int) -> Ref:
        """Write an array with an axis of one more."""
        return self.add("ExpandDims", name, ref, self.integers(f"{name}/dim", axis), T=FLOAT, Tdim=INT32)

    def _entries(self, name: str, vector: Ref, start: int, stop: int, shrink: bool) -> Ref:
        ends = [self.integers(f"{name}/{end}", [n]) for end, n in (("begin", start), ("end", stop), ("strides", 1))]
        options = {"shrink_axis_mask": 1} if shrink else {}
        return self.add("StridedSlice", name, vector, *ends, T=INT32, Index=INT32, **options)

    def _constant(self, name: str, values: NDArray[Any]) -> Ref:
        kind = FLOAT if values.dtype.kind == "f" else INT32
        ref = self.add("Const", name, dtype=kind)
        tensor = self.written[ref.node].attributes["value"].tensor
        tensor.dtype = kind
        tensor.tensor_shape.SetInParent()
        for size in values.shape:
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = np.ascontiguousarray(values).tobytes()
        return ref

    def _free(self, name: str) -> str:
        if name not in self.written:
            return name
        number = 1
        while f"{name}_{number}" in self.written:
            number += 1
        return f"{name}_{number}"


def _set(attribute: Any, key: str, value: Any) -> None:
    if key in _TYPES:
        attribute.type = value
    elif isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, int):
        attribute.i = value
    elif isinstance(value, float):
        attribute.f = value
    elif isinstance(value, str):
        attribute.s = value.encode()
    else:
        attribute.list.i.extend(value)
