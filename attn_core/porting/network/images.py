"""Images to run a network on: their shapes, and their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from attn_core.interpreters.images import sample_image
from attn_core.porting.find.means import shape_known
from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.network.inference import Inference
from attn_core.porting.network.steps.axes import LEAST, NHWC, Axes, image_axes, image_rank, is_grey
from attn_core.porting.network.steps.observed import OpenSizes, Sizes, fixed
from attn_core.porting.network.steps.steps import Array

SIZE = (64, 64)  # of images where neither the graph nor the user says one
VOLUME = (16, 32, 32)
SIZES: Mapping[int, Sizes] = {3: (128,), 4: SIZE, 5: VOLUME}  # by the number of axes
ODD = 11  # how much larger the second image is, from even to odd
ODD_VOLUME = 3  # the graph is run in complex numbers, and volumes are large already
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "Conv3D")
_MOST = 2**26  # numbers of a batch of images; a file may state any size
IMAGES, COLOURS = 2, 3  # of a batch, where the graph leaves them open


class SizeError(ValueError):
    """Images on which the graph cannot be run; the message says how to give a size."""


class _Shape(NamedTuple):
    """The shape of a batch of signals, images or volumes."""

    images: int
    channels: int
    space: Sizes

    @property
    def canonical(self) -> Sizes:
        """All sizes in canonical order."""
        return (self.images, self.channels, *self.space)

    def doubled(self) -> _Shape:
        """Return the shape of images twice as large along each axis."""
        return self._replace(space=tuple(2 * n for n in self.space))

    def larger(self) -> _Shape:
        """Return the shape of larger images of odd sizes, on which SAME pads otherwise than on even ones.

        No two of them are equal, so that rows are not taken for columns.
        """
        more = ODD_VOLUME if len(self.space) == len(VOLUME) else ODD
        sizes: list[int] = []
        for size in self.space:
            larger = size + more - size % 2
            while larger in sizes:
                larger += 2
            sizes.append(larger)
        return self._replace(space=tuple(sizes))


def shapes(inference: Inference, feeds: Mapping[Ref, Array], size: Sizes | None) -> Iterator[Sizes]:
    """Yield shapes to try: the stated or asked one, an odd one, twice the first, and the first with another batch."""
    graph, image = inference.graph, inference.image
    stated = shape_known(graph, image)
    if stated is None:
        stated = (None, None, None, None)
    if size is not None and len(size) != lengths(inference, len(stated)):
        raise SizeError(_other_size(inference, stated, size))
    if is_grey(graph, image, len(stated)):
        # Those of images with an axis for the channel, without it.
        yield from (shape[:-1] for shape in _of_images(inference, feeds, (*stated, 1), NHWC, size))
    elif len(stated) in SIZES:
        yield from _of_images(inference, feeds, stated, image_axes(graph, image, len(stated)), size)
    else:
        yield from _of_vectors(inference, stated)


def lengths(inference: Inference, rank: int) -> int:
    """Return how many numbers the size of an image of so many axes has."""
    return max(0, image_rank(inference.graph, inference.image, rank) - 2) if rank >= LEAST else 0


def _of_images(
    inference: Inference, feeds: Mapping[Ref, Array], stated: OpenSizes, axes: Axes, size: Sizes | None
) -> Iterator[Sizes]:
    graph = inference.graph
    default = _Shape(IMAGES, _channels(inference, feeds), size or SIZES[len(stated)])
    first = _completed(stated, axes.in_graph(default.canonical))
    if math.prod(first) > _MOST:
        raise SizeError(f"{graph.path}: images of the shape {list(first)} are too large to run the graph on.")
    yield first
    batch, *_ = stated
    images, channels, *space = axes.canonical(first)
    shape = _Shape(images, channels, tuple(space))
    # Another number of images, where the graph allows it: what is made of the batch then differs between the runs.
    again = shape._replace(images=batch or shape.images + 1)
    yield axes.in_graph(again.larger().canonical)
    # Where ways of different strides meet, odd sizes do not fit; what is read off two runs must not be of one size.
    yield axes.in_graph(again.doubled().canonical)
    yield axes.in_graph(again.canonical)


def _other_size(inference: Inference, stated: OpenSizes, size: Sizes) -> str:
    """Say which numbers a size has."""
    name, count = inference.image.node, lengths(inference, len(stated))
    given = ",".join(map(str, size))
    numbers = {1: "its length", 2: "its height and width", 3: "its depth, height and width"}.get(count, "none")
    return (
        f"{inference.graph.path}: the size {given} has {len(size)} numbers, but the image {name!r} has the shape "
        f"{list(stated)}: give {numbers}."
    )


def _of_vectors(inference: Inference, stated: OpenSizes) -> Iterator[Sizes]:
    """Yield shapes of what is no image: its sizes are the stated ones."""
    batch, *rest = stated
    sizes = fixed(tuple(rest))
    if sizes is None:
        name = inference.image.node
        raise SizeError(f"{inference.graph.path}: the image {name!r} has the shape {list(stated)}, no sizes.")
    yield (batch or IMAGES, *sizes)
    yield (batch or IMAGES + 1, *sizes)


def _completed(stated: OpenSizes, default: Sizes) -> Sizes:
    """Fill in what a shape leaves open."""
    return tuple(other if n is None else n for n, other in zip(stated, default, strict=True))


def _channels(inference: Inference, feeds: Mapping[Ref, Array]) -> int:
    """Return the channels that the first convolution takes."""
    first = next((node for node in inference.graph.nodes.values() if node.op in _CONVOLUTIONS), None)
    if first is None or len(first.inputs) < 2:
        return COLOURS
    kernel = first.inputs[1]
    shape = evaluate(inference.original, feeds, [kernel])[kernel].shape
    return int(shape[-2]) if len(shape) >= len(NHWC) else COLOURS


def sample(shape: Sizes, axes: Axes, seed: int) -> Array:
    """Draw a batch of images in the graph's layout: numbers of float32, so that all witnesses get the same."""
    canonical = sample_image(axes.canonical(shape), seed)
    single = canonical.astype(np.float32)
    return np.ascontiguousarray(single.astype(np.float64).transpose(axes))
