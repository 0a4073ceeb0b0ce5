"""Samples of an image at points whose own errors may take them over a pixel's centre, where another pair of pixels is.

Between two centres a sample is linear in its point, and the reference says what errors do to it. Beyond the next centre
it is linear with another slope, and other pixels get its gradient. Of a point that may be there, no more is known than
the pixels within its reach: that is added here, in each of the three directions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.reference import ops
from attn_core.interpreters.rounding.arithmetic import Arithmetic
from attn_core.interpreters.rounding.choices import doubted
from attn_core.interpreters.rounding.number import EXACT, Origin, Rounded

Numbers = NDArray[Any]
Mask = NDArray[np.bool_]


def sample(x: Any, grid: Any, padding: str, align_corners: bool) -> Rounded:
    """See `Primitives.sample`; the image and the grid are `Rounded`."""
    found: Any = ops.sample(x, grid, padding, align_corners)
    sizes = x.shape[2:]
    places: list[Any] = [ops.place(grid[..., -1 - i], n, "zeros", align_corners) for i, n in enumerate(sizes)]
    reach = Reach(
        [place.value for place in places], [_bound(*each, padding) for each in zip(places, sizes, strict=True)], sizes
    )
    if not reach.crosses.any():
        return cast(Rounded, found)
    found.how.doubts["sampling points on a pixel"] += int(reach.crosses.sum())
    width = _width(x.value, reach, padding)
    pixels = [(n - 1 if align_corners else n) / 2 for n in sizes]  # of one unit of the grid

    def grid_of(g: Rounded) -> Rounded:
        size = ((np.abs(g.value) + g.bound) * width).sum(1)
        # Across a centre the slope along this axis is another one; along the others it moves as far as the point does.
        along = [2 * size * unit * share for unit, share in zip(pixels, reach.shares, strict=True)]
        return _unknown(np.stack(along[::-1], -1), g.how)

    def image_of(g: Rounded) -> Rounded:
        size = np.minimum(reach.moved, 1)[:, None] * (np.abs(g.value) + g.bound)
        return _unknown(_scattered(size, reach, x.shape, padding), g.how)

    doubt = reach.moved[:, None] * width
    sources = (Origin(found, lambda g: g), Origin(x, image_of), Origin(grid, grid_of))
    return Rounded(found.value, doubted(found.noise, doubt, found), found.how, sources)


def _bound(place: Rounded, pixels: int, padding: str) -> Numbers:
    """Return how far off a place may be, in pixels: less than 0 where it is kept at the border, whatever it is."""
    before = place.value + place.bound < 0
    behind = place.value - place.bound > pixels - 1
    is_kept = padding == "border"
    return np.where((before | behind) & is_kept, -1.0, place.bound)


def _on_centre(place: Numbers, bound: Numbers) -> Mask:
    """Say which points may be on a pixel's centre, or beyond."""
    distance = np.abs(place - np.rint(place))
    return np.asarray(distance <= bound)


# Beyond the pixel next to the image all are alike.


def _lowest(place: Numbers, bound: Numbers, pixels: int) -> Numbers:
    """Return the first pixel within reach."""
    first = np.ceil(place - bound) - 1
    return np.asarray(np.clip(first, -1, pixels), int)


def _highest(place: Numbers, bound: Numbers, pixels: int) -> Numbers:
    """Return the last pixel within reach."""
    last = np.floor(place + bound) + 1
    return np.asarray(np.clip(last, -1, pixels), int)


class Reach:
    """The pixels between which points may lie: for each axis, from `low` to `high`, an array of the points' shape.

    `crosses` says which points may be beyond a centre, `moved` how far those may be off, in pixels. `shares` says for
    each axis how much of a slope's change counts.
    """

    def __init__(self, places: list[Numbers], bounds: list[Numbers], sizes: tuple[int, ...]) -> None:
        on_centre = list(map(_on_centre, places, bounds))
        bounds = [np.maximum(bound, 0) for bound in bounds]
        self.crosses: Mask = np.any(on_centre, 0)
        self.moved: Numbers = np.where(self.crosses, np.sum(bounds, 0), 0.0)
        elsewhere = np.minimum(self.moved, 1)
        self.shares = [np.where(on, 1.0, elsewhere) * self.crosses for on in on_centre]
        self.low = list(map(_lowest, places, bounds, sizes))
        self.high = list(map(_highest, places, bounds, sizes))

    def pixels(self) -> Iterator[Pixels]:
        """Yield one pixel within reach of each point, until all were yielded."""
        spans = map(np.subtract, self.high, self.low)
        sides = [int(span.max(initial=0)) + 1 for span in spans]
        for step in itertools.product(*map(range, sides)):
            at = list(map(np.add, self.low, step))
            is_within = np.all(list(map(np.less_equal, at, self.high)), 0)
            yield Pixels(at, self.crosses & is_within)


class Pixels(NamedTuple):
    """A pixel for each point, and whether it is within the point's reach."""

    at: list[Numbers]
    within: Mask

    def indices(self, shape: tuple[int, ...]) -> tuple[Numbers, ...]:
        """Return the index of the sample, then those of the nearest pixel in the image."""
        batch, _, *sizes = shape
        samples = np.arange(batch).reshape(-1, *(1 for _ in sizes))
        nearest = (np.clip(i, 0, n - 1) for i, n in zip(self.at, sizes, strict=True))
        return (samples, *nearest)

    def inside(self, shape: tuple[int, ...], padding: str) -> Mask:
        """Say which of them are in the image, or stand for a pixel of it."""
        within = [(i >= 0) & (i < n) for i, n in zip(self.at, shape[2:], strict=True)]
        return np.asarray(np.all(within, 0) | (padding == "border"))


def _width(x: Numbers, reach: Reach, padding: str) -> Numbers:
    """Return how far apart the pixels within reach of each point are: (batch, channels, *points)."""
    least: Any = np.inf
    most: Any = -np.inf
    image = np.moveaxis(x, 1, -1)
    for pixels in reach.pixels():
        inside = pixels.inside(x.shape, padding)
        own = image[pixels.indices(x.shape)] * inside[..., None]
        within = pixels.within[..., None]
        least = np.where(within, np.minimum(least, own), least)
        most = np.where(within, np.maximum(most, own), most)
    apart = np.where(reach.crosses[..., None], most - least, 0.0)
    return np.moveaxis(apart, -1, 1)


def _scattered(size: Numbers, reach: Reach, shape: tuple[int, ...], padding: str) -> Numbers:
    """Give what each point may give to any pixel within its reach to all of them."""
    total = np.zeros((shape[0], *shape[2:], shape[1]))
    given = np.moveaxis(size, 1, -1)
    for pixels in reach.pixels():
        counts = pixels.within & pixels.inside(shape, padding)
        np.add.at(total, pixels.indices(shape), given * counts[..., None])
    return np.moveaxis(total, -1, 1)


def _unknown(doubt: Numbers, how: Arithmetic) -> Rounded:
    """Return a share of an adjoint of which only the size is known."""
    nothing = Rounded(np.zeros(doubt.shape), EXACT, how)
    return Rounded(nothing.value, doubted(EXACT, doubt, nothing), how)
