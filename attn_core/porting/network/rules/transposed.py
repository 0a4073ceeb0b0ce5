"""Transposed convolutions."""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.layers import kernel, layout, path_of
from attn_core.porting.network.rules.signals import row_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Value
from attn_core.spec.windows import margins

_OTHER_SIZE = "its result is not what its kernel makes of the image, less a border of the same width in each run"


def transposed(lifter: Lifter, node: Node) -> Value:
    """Lift `Conv2DBackpropInput` and `Conv3DBackpropInputV2`: kernel (*space, out, in).

    The step computes all that the kernel reaches, and cuts off the border that the graph's padding would have added.
    """
    axes = layout(node)
    _, weights, image = node.inputs
    x = lifter.laid(lifter.value(image), axes)
    if lifter.is_data(weights):
        raise Unsupported("its kernel is computed from the image")
    if any(rate != 1 for rate in attribute(node, "dilations", ())):
        raise Unsupported("it is dilated")
    *window, outputs, inputs = lifter.constant_shape(weights)
    fields: dict[str, Any] = {
        "inputs": inputs,
        "outputs": outputs,
        "kernel": tuple(window),
        "stride": axes.spatial(attribute(node, "strides", (1,) * len(axes))),
        "bias": False,
    }
    fields["crop"] = _crop(lifter, node, fields["kernel"], fields["stride"])
    weight = lifter.leaf(weights, kernel)
    path = path_of(weight, node)
    if (row := row_of(lifter, x)) is not None:
        arrays = {"weight": row.kernel(weight)}
        return row.again(lifter, lifter.add(node, "transposed", (row.signal,), row.along(fields), None, arrays, path))
    return lifter.add(node, "transposed", (x,), fields, axes, {"weight": weight}, path)


def _crop(lifter: Lifter, node: Node, kernel: tuple[int, ...], stride: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Return how many pixels are cut off before and after, along each axis."""
    axes = layout(node)
    padding = attribute(node, "padding", "VALID").lower()
    if padding not in ("same", "valid") or min(k - s for k, s in zip(kernel, stride, strict=True)) < 0:
        raise Unsupported(_OTHER_SIZE)
    shapes = lifter.observed.shapes
    found = set()
    for old, new in zip(shapes[node.inputs[2]], shapes[Ref(node.name)], strict=True):
        sizes = zip(axes.spatial(old), axes.spatial(new), kernel, stride, strict=True)
        found.add(tuple(_cut_off(*each, padding) for each in sizes))
    crop = found.pop()
    if found or min(map(min, crop)) < 0:
        raise Unsupported(_OTHER_SIZE)
    return crop


def _cut_off(old: int, new: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    reached = (old - 1) * stride + kernel
    before = int(margins(new, kernel, stride, padding)[0])
    return before, reached - new - before


RULES: dict[str, Rule] = {"Conv2DBackpropInput": transposed, "Conv3DBackpropInputV2": transposed}
