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
from attn_core.porting.network.steps.axes import Axes, image_axes
from attn_core.porting.network.steps.observed import OpenSizes, Sizes, fixed
from attn_core.porting.network.steps.steps import Array

SIZE = (64, 64)  # of images where neither the graph nor the user says one
ODD = 11  # how much larger the second image is, from even to odd
_MOST = 2**26  # numbers of a batch of images; a file may state any size
IMAGES, COLOURS = 2, 3  # of a batch, where the graph leaves them open


class SizeError(ValueError):
    """Images on which the graph cannot be run; the message says how to give a size."""


class _Shape(NamedTuple):
    """The shape of a batch of images, in canonical order."""

    images: int
    channels: int
    height: int
    width: int

    def doubled(self) -> _Shape:
        """Return the shape of images twice as high and wide."""
        return self._replace(height=2 * self.height, width=2 * self.width)

    def larger(self) -> _Shape:
        """Return the shape of larger images of odd sizes, on which SAME pads otherwise than on even ones."""
        height, width = (n + ODD - n % 2 for n in (self.height, self.width))
        return self._replace(height=height, width=width)


def shapes(inference: Inference, feeds: Mapping[Ref, Array], size: tuple[int, int] | None) -> Iterator[Sizes]:
    """Yield shapes to try: the stated or asked one, an odd one, twice the first, and the first with another batch."""
    graph, image = inference.graph, inference.image
    stated = shape_known(graph, image)
    if stated is None:
        stated = (None, None, None, None)
    if len(stated) != 4:
        yield from _of_vectors(inference, stated)
        return
    axes = image_axes(graph, image, 4)
    height, width = size or SIZE
    default = _Shape(IMAGES, _channels(inference, feeds), height, width)
    first = _completed(stated, axes.in_graph(default))
    if math.prod(first) > _MOST:
        raise SizeError(f"{graph.path}: images of the shape {list(first)} are too large to run the graph on.")
    yield first
    batch, *_ = stated
    shape = _Shape(*axes.canonical(first))
    # Another number of images, where the graph allows it: what is made of the batch then differs between the runs.
    again = shape._replace(images=batch or shape.images + 1)
    yield axes.in_graph(again.larger())
    # Where ways of different strides meet, odd sizes do not fit; what is read off two runs must not be of one size.
    yield axes.in_graph(again.doubled())
    yield axes.in_graph(again)


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
    convolutions = (node for node in inference.graph.nodes.values() if node.op in ("Conv2D", "DepthwiseConv2dNative"))
    first = next(convolutions, None)
    if first is None or len(first.inputs) < 2:
        return COLOURS
    kernel = first.inputs[1]
    shape = evaluate(inference.original, feeds, [kernel])[kernel].shape
    return int(shape[2]) if len(shape) == 4 else COLOURS


def sample(shape: Sizes, axes: Axes, seed: int) -> Array:
    """Draw a batch of images in the graph's layout: numbers of float32, so that all witnesses get the same."""
    canonical = sample_image(axes.canonical(shape), seed)
    single = canonical.astype(np.float32)
    return np.ascontiguousarray(single.astype(np.float64).transpose(axes))
