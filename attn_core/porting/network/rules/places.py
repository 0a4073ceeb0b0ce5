"""Numbers that follow the sizes of an image and nothing else of it: the grid that a detector adds to its boxes.

They are known by what they were in both runs of the graph, however a program computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.grids import NEAR, UNKNOWN, grid_of, rounded
from attn_core.porting.network.steps.lift import Lifter, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array, Value

KIND = "grid"


def constant(runs: Sequence[Array]) -> Array | None:
    """Return what is the same in all runs; None if it follows the size. Images of a batch are alike."""
    first, *others = runs
    same = all(first.shape == other.shape and np.array_equal(first, other) for other in others)
    return first if same else None


def of_one_image(runs: Sequence[Array], rank: int) -> list[Array]:
    """Give arrays that lie against the last axes of a value all of its axes, and one image where all are alike."""
    found = []
    for array in runs:
        if array.ndim > rank:
            raise Unsupported(UNKNOWN)
        full = array.reshape((1,) * (rank - array.ndim) + array.shape)
        if full.shape[0] > 1 and (full == full[:1]).all():
            full = full[:1]
        found.append(full)
    return found


def placed(lifter: Lifter, node: Node, ref: Ref, x: Value, runs: Sequence[Array], sizes: Sequence[Sizes]) -> Value:
    """Lift numbers that follow the sizes of a value, whose shapes were these, as its grid or its sizes."""
    if all(array.size == array.shape[-1] for array in runs):
        return _counted(lifter, node, ref, x, runs, sizes)
    grid = grid_of(runs)
    for array, shape in zip(runs, sizes, strict=True):
        if any(array.shape[axis] != shape[axis] for axis in grid.axes):
            raise Unsupported(UNKNOWN)
    fields = {"axes": _axes(lifter, x, grid.axes), "start": grid.unit.start, "less": grid.unit.less, "rank": x.rank}
    value = lifter.add(_named(node, f"{node.name}:{ref.node}"), KIND, (x,), fields)
    return _changed(lifter, node, ref, _changed(lifter, node, ref, value, "multiply", grid.times), "add", grid.plus)


def _axes(lifter: Lifter, x: Value, places: Sequence[int]) -> tuple[int, ...]:
    if len(places) > 1 and lifter.is_image(x.rank):
        raise Unsupported(f"{UNKNOWN}, one after the other in its channels")
    return tuple(x.axes[place] for place in places)


def _counted(lifter: Lifter, node: Node, ref: Ref, x: Value, runs: Sequence[Array], sizes: Sequence[Sizes]) -> Value:
    """Lift the sizes of a value or of the image, multiples of them, their inverses, or the quotients of both."""
    wanted = np.stack([array.reshape(-1) for array in runs]).astype(np.float64)
    image = lifter.values[lifter.image]
    own, whole = (np.array(each, np.float64) for each in (sizes, lifter.observed.shapes[lifter.image]))
    for of, counts in ((x, own), (image, whole)):
        ways = {"multiply": wanted[:, :, None] / counts[:, None], "divide": wanted[:, :, None] * counts[:, None]}
        for kind, found in ways.items():
            places = _constant(found, counts)
            if places is not None:
                numbers = [found[0, k, place] for k, place in enumerate(places)]
                return _multiple(lifter, node, ref, _sizes(lifter, node, ref, of, places), kind, numbers)
    return _quotient(lifter, node, ref, (image, whole), (x, own), wanted)


def _constant(found: Array, counts: Array) -> list[int] | None:
    """Return for each number the axis by whose size it is the same in all runs; None if one has no such axis."""
    fits = np.isclose(found, found[:1], rtol=NEAR).all(0) & (counts != counts[:1]).any(0)
    return [int(place) for place in fits.argmax(1)] if fits.any(1).all() else None


def _quotient(
    lifter: Lifter, node: Node, ref: Ref, image: tuple[Value, Array], x: tuple[Value, Array], wanted: Array
) -> Value:
    """Lift how many pixels of the image one place of a value stands for."""
    (whole, above), (own, below) = image, x
    common = min(above.shape[1], below.shape[1])
    found = wanted[:, :, None] * below[:, None, :common] / above[:, None, :common]
    places = _constant(found, above[:, :common])
    if places is None:
        raise Unsupported(UNKNOWN)
    numbers = [found[0, k, place] for k, place in enumerate(places)]
    first, second = (_sizes(lifter, node, ref, each, places) for each in (whole, own))
    value = lifter.add(
        _named(node, f"{node.name}:{ref.node}:quotient"), "divide", (first, second), {"operands": (0, 1)}
    )
    return _multiple(lifter, node, ref, value, "multiply", numbers)


def _sizes(lifter: Lifter, node: Node, ref: Ref, of: Value, places: Sequence[int]) -> Value:
    fields = {"axes": tuple(of.axes[place] for place in places), "rank": of.rank}
    return lifter.add(_named(node, f"{node.name}:{ref.node}:{of.step}"), "sizes", (of,), fields)


def _multiple(lifter: Lifter, node: Node, ref: Ref, value: Value, kind: str, numbers: Sequence[float]) -> Value:
    times = [rounded(float(number)) for number in numbers]
    if kind == "multiply":
        return _changed(lifter, node, ref, value, kind, times)
    if len(set(times)) > 1:
        raise Unsupported(UNKNOWN)
    fields = {"operands": ("{number}", 0), "number": times[0]}
    return lifter.add(_named(node, f"{node.name}:{ref.node}:{kind}"), kind, (value,), fields)


def _changed(lifter: Lifter, node: Node, ref: Ref, value: Value, kind: str, numbers: Sequence[float]) -> Value:
    """Add a step that multiplies with a number, or adds it; none if that changes nothing."""
    if set(numbers) == {1.0 if kind == "multiply" else 0.0}:
        return value
    if len(set(numbers)) > 1:
        raise Unsupported("its grid has other steps along one axis than along another")
    fields = {"operands": (0, "{number}"), "number": numbers[0]}
    return lifter.add(_named(node, f"{node.name}:{ref.node}:{kind}"), kind, (value,), fields)


def _named(node: Node, name: str) -> Node:
    return Node(name, node.op, node.inputs, node.attributes)
