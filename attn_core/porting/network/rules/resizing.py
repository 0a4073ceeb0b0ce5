"""Resizing images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from attn_core.porting.graph.graph import Graph, Node, Ref
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
        fields["size"] = stated
        return lifter.add(node, "resize", (x,), fields, NHWC)
    image, size = node.inputs
    wanted = _wanted(lifter, size)
    like = image_of_size(lifter, size, wanted, image)
    if like is not None:
        return lifter.add(node, "resize", (x, like), fields, NHWC)
    factor = _factor(wanted, _sizes(lifter, image))
    if factor is None:
        raise Unsupported("its size follows the image, but is neither a multiple of its own nor that of another image")
    fields["factor"] = factor
    return lifter.add(node, "resize", (x,), fields, NHWC)


def image_of_size(lifter: Lifter, size: Ref, wanted: list[Sizes], image: Ref) -> Value | None:
    """Return another image than this one, whose height and width a size is computed from, and equal to in each run."""
    for ref in _asked(lifter.graph, size):
        value = lifter.values.get(ref)
        if ref == image or value is None or value.rank != len(NHWC):
            continue
        if _sizes(lifter, ref) == wanted:
            return value
    return None


def _asked(graph: Graph, size: Ref) -> Iterator[Ref]:
    """Yield the arrays whose shapes a size is computed from; by name, for ancestors come in any order."""
    for name in sorted(ancestors(graph, [size.node])):
        node = graph.nodes[name]
        if node.op in _SHAPES:
            yield from node.inputs


def _sizes(lifter: Lifter, ref: Ref) -> list[Sizes]:
    """Return an image's height and width in each run."""
    axes = lifter.values[ref].axes
    return [tuple(axes.entry(shape, axis) for axis in SPACE) for shape in lifter.observed.shapes[ref]]


def _wanted(lifter: Lifter, size: Ref) -> list[Sizes]:
    runs = lifter.observed.numbers.get(size, [])
    return [tuple(map(int, numbers.flat)) for numbers in runs]


def _factor(wanted: Sequence[Sizes], sizes: Sequence[Sizes]) -> Sizes | None:
    """Return how many times larger the image becomes, if it is the same whole number in each run."""
    runs = zip(wanted, sizes, strict=True)
    factors = {_whole_times(new, old) for new, old in runs}
    if len(factors) != 1:
        return None
    factor = factors.pop()
    return factor if min(factor) > 0 else None


def _whole_times(new: Sizes, old: Sizes) -> Sizes:
    """Return how often each size goes into the new one, 0 where it leaves a rest."""
    sizes = zip(new, old, strict=True)
    return tuple(0 if after % before else after // before for after, before in sizes)


RULES: dict[str, Rule] = {
    "ResizeBilinear": partial(_resized, nearest=False),
    "ResizeNearestNeighbor": partial(_resized, nearest=True),
}
