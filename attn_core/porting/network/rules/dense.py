"""Dense layers."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.layers import path_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Array, Value


class _Image(NamedTuple):
    """What a vector was before it was flattened: the axes but the batch, in the graph's order, and their sizes."""

    axes: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Where each axis stands, in canonical order."""
        return tuple(self.axes.index(axis) for axis in sorted(self.axes))

    @property
    def canonical(self) -> tuple[int, ...]:
        """The numbers of channels and, along each axis in space, of pixels."""
        return tuple(self.sizes[place] for place in self.places)

    def reordered(self, matrix: Array) -> Array:
        """Give the columns of a matrix, one for each number of the image, the canonical order."""
        apart = matrix.reshape(-1, *self.sizes)
        order = [1 + place for place in self.places]
        return apart.transpose(0, *order).reshape(matrix.shape)


def matmul(lifter: Lifter, node: Node) -> Value:
    """Lift `MatMul` with weights on the right."""
    x = lifter.input(node)
    if lifter.is_data(node.inputs[1]) or _either(node, "transpose_a", "adj_x"):
        raise Unsupported("it multiplies two matrices made of the image, or a transposed one")
    shape = lifter.constant_shape(node.inputs[1])
    if len(shape) != 2:
        raise Unsupported("its weights are no matrix")
    # TensorFlow's kernel is (inputs, outputs); (outputs, inputs) is canonical.
    is_canonical = _either(node, "transpose_b", "adj_y")
    outputs, inputs = shape if is_canonical else shape[::-1]
    image = _flattened(lifter, x)

    def turn(array: Array) -> Array:
        matrix = array if is_canonical else array.T
        return matrix if image is None else image.reordered(matrix)

    weight = lifter.leaf(node.inputs[1], turn)
    sizes = None if image is None else image.canonical
    fields = {"inputs": inputs, "outputs": outputs, "bias": False, "image": sizes}
    return lifter.add(node, "dense", (x,), fields, x.axes, {"weight": weight}, path_of(weight, node))


def _either(node: Node, name: str, batched: str) -> bool:
    """Return a flag of a product, which `BatchMatMul` calls otherwise."""
    return bool(attribute(node, name, False) or attribute(node, batched, False))


def _flattened(lifter: Lifter, x: Value) -> _Image | None:
    """Return the image that was flattened to this value, if that is what was done."""
    step = lifter.step_of(x, "flatten")
    if step is None or not lifter.is_image(1 + len(step.fields["axes"])):
        return None
    # The step is free to flatten in canonical order, since the weights are put into that order.
    lifter.steps[step.name] = replace(step, fields={**step.fields, "free": True})
    return _Image(step.fields["axes"], step.fields["sizes"])


RULES: dict[str, Rule] = {"MatMul": matmul}
