"""The weights of dense layers, as a graph reads them or as names tell them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Ref, integers
from attn_core.porting.graph.reads import RESHAPED, SAME, Stored, last, same, stored
from attn_core.spec.primitives import Activation, Gate


@dataclass(frozen=True)
class Kernel:
    """A matrix of weights; `swapped` if it lies as (out, in) in the file, and not as TensorFlow's (in, out)."""

    stored: Stored
    swapped: bool = False

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of inputs and of outputs."""
        first, second = self.stored.shape[-2:]
        return (second, first) if self.swapped else (first, second)

    def canonical(self, values: NDArray[Any]) -> NDArray[Any]:
        """Lay the values out as (out, in)."""
        matrix = values.reshape(values.shape[-2:])
        return np.array(matrix if self.swapped else matrix.T, order="C")


@dataclass(frozen=True)
class DenseLayer:
    """A dense layer, or a 1x1 convolution on a vector."""

    kernel: Kernel
    bias: Stored | None


@dataclass(frozen=True)
class Planes:
    """The convolution of two planes, the means and the maxima over channels: CBAM's spatial half."""

    kernel: Stored
    bias: Stored | None

    def canonical(self, values: NDArray[Any]) -> NDArray[Any]:
        """Lay the kernel's values out as (out, in, height, width); (height, width, in, out) is TensorFlow's."""
        return np.array(values.transpose(3, 2, 0, 1), order="C")


@dataclass(frozen=True)
class DensePair:
    """The two layers of an SE block and what stands behind each; with `planes` it is CBAM."""

    reduce: DenseLayer
    expand: DenseLayer
    activation: Activation = "relu"
    gate: Gate = "sigmoid"
    notes: tuple[str, ...] = ()
    planes: Planes | None = None

    @property
    def stored(self) -> dict[str, Stored]:
        """The stored arrays by their canonical names in SE, or in the halves of CBAM."""
        arrays = {
            "reduce.weight": self.reduce.kernel.stored,
            "reduce.bias": self.reduce.bias,
            "expand.weight": self.expand.kernel.stored,
            "expand.bias": self.expand.bias,
            "conv.weight": self.planes.kernel if self.planes else None,
            "conv.bias": self.planes.bias if self.planes else None,
        }
        return {role: each for role, each in arrays.items() if each}


def kernel(graph: Graph, ref: Ref, swapped: bool) -> Kernel | None:
    """Find a matrix of weights behind transpositions and harmless reshapes."""
    targets: list[tuple[int | None, ...] | None] = []
    while (node := graph.nodes[same(graph, ref).node]).op in RESHAPED and len(node.inputs) == 2 and len(targets) < 8:
        if node.op == "Transpose" and integers(graph, node.inputs[1]) == (1, 0):
            swapped = not swapped
        elif node.op == "Reshape":
            targets.append(integers(graph, node.inputs[1]))
        elif node.op != "Transpose" or integers(graph, node.inputs[1]) != (0, 1):
            return None
        ref = node.inputs[0]
    found = stored(graph, ref)
    if found is None or len(found.shape) < 2 or math.prod(found.shape[:-2]) != 1:
        return None
    matrix = found.shape[-2:]
    return Kernel(found, swapped) if all(t == matrix for t in targets) else None


def bias(graph: Graph, ref: Ref) -> Stored | None:
    """Find a vector of weights."""
    found = stored(graph, last(graph, ref, SAME | RESHAPED))
    return found if found and found.shape and math.prod(found.shape) == found.shape[-1] else None
