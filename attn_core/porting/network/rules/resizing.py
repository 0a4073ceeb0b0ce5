"""Resizing images."""

from __future__ import annotations

from functools import partial
from typing import Any

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.order import ancestors
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import NHWC, SPACE
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Value

_SHAPES = ("Shape", "ShapeN")


def _resized(lifter: Lifter, node: Node, nearest: bool) -> Value:
    """Lift a resizing to a stated size, by a factor, or to the size of another image.

    TensorFlow 1 knows three conventions on where pixels lie: `corners` (align_corners), `centers` (half_pixel_centers),
    and by default neither, which PyTorch has for nearest pixels alone.
    """
    x = lifter.laid(lifter.input(node), NHWC)
    fields: dict[str, Any] = {
        "nearest": nearest,
        "corners": bool(attribute(node, "align_corners", False)),
        "centers": bool(attribute(node, "half_pixel_centers", False)),
    }
    stated = lifter.fixed(node.inputs[1])
    if stated is not None:
        return lifter.add(node, "resize", (x,), {**fields, "size": stated}, NHWC)
    image, size = node.inputs
    like = image_of_size(lifter, size, _wanted(lifter, size), image)
    if like is not None:
        return lifter.add(node, "resize", (x, like), fields, NHWC)
    factor = _factor(lifter, node)
    if factor is not None:
        return lifter.add(node, "resize", (x,), {**fields, "factor": factor}, NHWC)
    raise Unsupported("its size follows the image, but is neither a multiple of its own nor that of another image")


def image_of_size(lifter: Lifter, size: Ref, wanted: list[Sizes], image: Ref) -> Value | None:
    """Return another image than this one, whose height and width a size is computed from, and equal to in each run."""
    graph = lifter.graph
    asked = [node for name in sorted(ancestors(graph, [size.node])) if (node := graph.nodes[name]).op in _SHAPES]
    for ref in (ref for node in asked for ref in node.inputs):
        is_other = ref != image and ref in lifter.values and lifter.values[ref].rank == len(NHWC)
        if is_other and _sizes(lifter, ref) == wanted:
            return lifter.values[ref]
    return None


def _sizes(lifter: Lifter, ref: Ref) -> list[Sizes]:
    """Return an image's height and width in each run."""
    axes = lifter.values[ref].axes
    return [tuple(axes.entry(shape, axis) for axis in SPACE) for shape in lifter.observed.shapes[ref]]


def _wanted(lifter: Lifter, size: Ref) -> list[Sizes]:
    return [tuple(int(n) for n in numbers.flat) for numbers in lifter.observed.numbers.get(size, [])]


def _factor(lifter: Lifter, node: Node) -> Sizes | None:
    """Return how many times larger the image becomes, if it is the same whole number in each run."""
    image, size = node.inputs
    runs = zip(_wanted(lifter, size), _sizes(lifter, image), strict=True)
    found = {tuple(new // old if new % old == 0 else 0 for new, old in zip(*run, strict=True)) for run in runs}
    return found.pop() if len(found) == 1 and all(min(factor) > 0 for factor in found) else None


RULES: dict[str, Rule] = {
    "ResizeBilinear": partial(_resized, nearest=False),
    "ResizeNearestNeighbor": partial(_resized, nearest=True),
}
