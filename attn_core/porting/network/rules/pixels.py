"""Dense layers on each pixel of an image, which are 1x1 convolutions.

`tf.layers.dense` of an image, a Tensordot, makes rows of the pixels, multiplies, and makes an image of them again.
"""

from __future__ import annotations

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value
from attn_core.porting.network.steps.weights import then


def one_by_one(lifter: Lifter, node: Node, x: Value) -> Value | None:
    """Turn a dense layer on the rows of an image, which is reshaped before and after, into a 1x1 convolution."""
    dense = lifter.step_of(x, "dense")
    rows = lifter.steps.get(dense.inputs[0]) if dense else None
    if dense is None or rows is None or not _is_of_pixels(lifter, rows):
        return None
    whole = rows.fields["whole"]
    ones = (1,) * len(whole.space)
    fields = {
        "inputs": dense.fields["inputs"],
        "outputs": dense.fields["outputs"],
        "kernel": ones,
        "stride": ones,
        "dilation": ones,
        "padding": "valid",
        "groups": 1,
        "bias": dense.fields["bias"],
    }
    arrays = {**dense.arrays, "weight": _convolving(dense.arrays["weight"], ones)}
    lifter.steps[node.name] = Step(node.name, "conv", rows.inputs, fields, arrays, dense.path)
    return Value(node.name, whole)


def _convolving(leaf: Leaf, lengths: Sizes) -> Leaf:
    """Make a matrix the kernel of a convolution of single pixels."""

    def kernel(matrix: Array) -> Array:
        return matrix.reshape(*matrix.shape, *lengths)

    if leaf.value is not None:
        return Leaf(value=kernel(leaf.value), computed=leaf.computed)
    return Leaf(leaf.parts, then(leaf.turn, kernel))


def _is_of_pixels(lifter: Lifter, rows: Step) -> bool:
    """Whether these are the pixels of an image, one after the other."""
    whole = rows.fields.get("whole", ())
    if not lifter.is_image(len(whole)):
        return False
    if rows.kind == "rows":
        return True  # the whole is the image itself, not one of several rows a place
    if rows.kind != "flatten":
        return False
    # The row of a single pixel is its image flattened, and was taken for that.
    *others, _ = sorted(rows.fields["sizes"])
    return set(others) == {1}
