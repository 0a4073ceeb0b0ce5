"""Numbers that follow the sizes of an image and nothing else of it: the grid that a detector adds to its boxes.

They are known by what they were in both runs of the graph, however a program computes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.grids import NEAR, UNKNOWN, grid_of, rounded
from attn_core.porting.network.rules.numbers import NUMBER
from attn_core.porting.network.steps.beside import beside
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
        missing = rank - array.ndim
        if missing < 0:
            raise Unsupported(UNKNOWN)
        shape = (1,) * missing + array.shape
        full = array.reshape(shape)
        first = full[:1]
        are_alike = len(full) > 1 and (full == first).all()
        found.append(first if are_alike else full)
    return found


@dataclass(frozen=True)
class _Site:
    """Where steps are added: before a node, for the numbers that it reads there."""

    lifter: Lifter
    node: Node
    ref: Ref

    def add(self, what: str, kind: str, inputs: tuple[Value, ...], fields: Mapping[str, Any]) -> Value:
        """Add a step, named after both; `what` tells it from the others there."""
        name = self.ref.node + what
        return self.lifter.add(beside(self.node, name), kind, inputs, fields)

    def sizes(self, of: Value, places: Sequence[int]) -> Value:
        """Add the sizes of a value at these places of its shape."""
        axes = tuple(of.axes[place] for place in places)
        return self.add(f":{of.step}", "sizes", (of,), {"axes": axes, "rank": of.rank})

    def changed(self, value: Value, kind: str, numbers: Sequence[float]) -> Value:
        """Add a step that multiplies with a number, or adds it; none if that changes nothing."""
        nothing = 1.0 if kind == "multiply" else 0.0
        different = set(numbers)
        if different == {nothing}:
            return value
        if len(different) > 1:
            raise Unsupported("its grid has other steps along one axis than along another")
        fields = {"operands": (0, NUMBER), "number": numbers[0]}
        return self.add(f":{kind}", kind, (value,), fields)

    def inverse(self, value: Value, numbers: Sequence[float]) -> Value:
        """Add a step that divides a number by a value."""
        if len(set(numbers)) > 1:
            raise Unsupported(UNKNOWN)
        fields = {"operands": (NUMBER, 0), "number": numbers[0]}
        return self.add(":divide", "divide", (value,), fields)


class _Sized(NamedTuple):
    """A value and its shapes, a row for each run."""

    value: Value
    shapes: Array


def placed(lifter: Lifter, node: Node, ref: Ref, x: Value, runs: Sequence[Array], sizes: Sequence[Sizes]) -> Value:
    """Lift numbers that follow the sizes of a value, whose shapes were these, as its grid or its sizes."""
    site = _Site(lifter, node, ref)
    if all(array.size == array.shape[-1] for array in runs):
        return _counted(site, x, runs, sizes)
    grid = grid_of(runs)
    for array, shape in zip(runs, sizes, strict=True):
        if any(array.shape[axis] != shape[axis] for axis in grid.axes):
            raise Unsupported(UNKNOWN)
    axes = _axes(lifter, x, grid.axes)
    fields = {"axes": axes, "start": grid.unit.start, "less": grid.unit.less, "rank": x.rank}
    value = site.add("", KIND, (x,), fields)
    value = site.changed(value, "multiply", grid.times)
    return site.changed(value, "add", grid.plus)


def _axes(lifter: Lifter, x: Value, places: Sequence[int]) -> tuple[int, ...]:
    if len(places) > 1 and lifter.is_image(x.rank):
        raise Unsupported(f"{UNKNOWN}, one after the other in its channels")
    return tuple(x.axes[place] for place in places)


def _counted(site: _Site, x: Value, runs: Sequence[Array], sizes: Sequence[Sizes]) -> Value:
    """Lift the sizes of a value or of the image, multiples of them, their inverses, or the quotients of both."""
    flat = [array.reshape(-1) for array in runs]
    wanted = np.stack(flat).astype(np.float64)
    lifter = site.lifter
    shapes = lifter.observed.shapes[lifter.image]
    own = _Sized(x, np.array(sizes, np.float64))
    image = _Sized(lifter.values[lifter.image], np.array(shapes, np.float64))
    for sized in (own, image):
        value = _of_sizes(site, sized, wanted)
        if value is not None:
            return value
    return _quotient(site, image, own, wanted)


def _of_sizes(site: _Site, sized: _Sized, wanted: Array) -> Value | None:
    """Lift numbers that are multiples of sizes, or multiples of their inverses; None if they are neither."""
    # Each number is held against each size: the axes are runs, numbers, sizes.
    numbers, counts = wanted[:, :, None], sized.shapes[:, None]
    factors = numbers / counts
    places = _constant(factors, sized.shapes)
    if places is not None:
        return site.changed(site.sizes(sized.value, places), "multiply", _at(factors, places))
    products = numbers * counts
    places = _constant(products, sized.shapes)
    if places is not None:
        return site.inverse(site.sizes(sized.value, places), _at(products, places))
    return None


def _constant(found: Array, counts: Array) -> list[int] | None:
    """Return for each number the axis by whose size it is the same in all runs; None if one has no such axis."""
    is_same = np.isclose(found, found[:1], rtol=NEAR).all(0)
    follows_image = (counts != counts[:1]).any(0)
    fits = is_same & follows_image
    if not fits.any(1).all():
        return None
    first = fits.argmax(1)
    return [int(place) for place in first]


def _at(found: Array, places: Sequence[int]) -> list[float]:
    """Return what each number is by the size at its place, as a program would have written it."""
    first_run = found[0]
    return [rounded(float(first_run[k, place])) for k, place in enumerate(places)]


def _quotient(site: _Site, image: _Sized, x: _Sized, wanted: Array) -> Value:
    """Lift how many pixels of the image one place of a value stands for."""
    _, image_rank = image.shapes.shape
    _, rank = x.shapes.shape
    common = min(image_rank, rank)
    above, below = image.shapes[:, :common], x.shapes[:, :common]
    found = wanted[:, :, None] * below[:, None] / above[:, None]
    places = _constant(found, above)
    if places is None:
        raise Unsupported(UNKNOWN)
    whole = site.sizes(image.value, places)
    own = site.sizes(x.value, places)
    value = site.add(":quotient", "divide", (whole, own), {"operands": (0, 1)})
    return site.changed(value, "multiply", _at(found, places))
