"""What the original graph computes: its result, its derivative along a direction, what enters and leaves blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from attn_core.interpreters.images import sample_image
from attn_core.porting.find.means import shape_known
from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.network.network import Part
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.lift import image_axes
from attn_core.porting.network.steps.steps import IMAGE, Array, Step
from attn_core.porting.network.steps.trace import RUNS, Trace, fixed
from attn_core.weights.files.tf1.errors import CheckpointError

STEP = 1e-30  # of the complex step: so small that nothing but the first derivative is left
SIZE = (64, 64)  # of images where neither the graph nor the user says one
ODD = 11  # how much larger the second image is, from even to odd
_MOST = 2**26  # numbers of a batch of images
BATCH, COLOURS = 2, 3


class SizeError(ValueError):
    """Images on which the graph cannot be run; the message says how to give a size."""


@dataclass(frozen=True)
class Truth:
    """One run of the graph in float64, on an image in the graph's own layout.

    Fields:
        slope: the derivative of sum(output * cotangent) along `direction`.
    """

    image: Array
    direction: Array
    output: Array
    cotangent: Array
    slope: float


def truths(part: Part, source: Source, size: tuple[int, int] | None) -> tuple[list[Truth], Trace]:
    """Run the graph on two images, of different sizes where it takes them; and return what was seen of each output.

    **Raises** `SizeError`, `UnknownOpError`, `CheckpointError`.
    """
    trace, found = Trace(), []
    feeds = part.feeds(source, [part.output])
    first, *others = _shapes(part, feeds, size)
    found.append(_one(part, feeds, first, trace, 0))
    for shape in others:
        attempt = Trace({ref: list(runs) for ref, runs in trace.shapes.items()}, dict(trace.numbers))
        attempt.numbers = {ref: list(runs) for ref, runs in trace.numbers.items()}
        try:
            found.append(_one(part, feeds, shape, attempt, 1))
        except CheckpointError:
            continue  # a network whose dense layers fit one size only
        trace = attempt
        break
    if len(found) < RUNS:
        raise SizeError(f"{part.graph.path} runs on images of shape {list(first)}, but on no other batch.")
    trace.constants(part.graph, part.graph.nodes)
    return found, trace


def _one(part: Part, feeds: Lazy[Ref], shape: tuple[int, ...], trace: Trace, seed: int) -> Truth:
    axes = image_axes(part.graph, part.image, len(shape))
    image, direction = (_sample(shape, axes, 2 * seed + k) for k in range(2))
    given = feeds | {part.image: image + 1j * STEP * direction}
    for ref, array in given.items():
        trace.watch(ref, array)
    try:
        values = evaluate(part.original, given, [part.output], watch=trace.watch)
    except CheckpointError as error:
        raise type(error)(
            f"{error} The image had the shape {list(shape)}; --size HEIGHT,WIDTH gives another."
        ) from None
    output = values[part.output]
    if output.shape[:1] != shape[:1]:
        raise CheckpointError(f"{part.graph.path}: of {shape[0]} images, the result has {list(output.shape)}.")
    cotangent = np.random.default_rng([seed, 3]).standard_normal(output.shape)
    return Truth(image, direction, output.real.copy(), cotangent, float((output.imag / STEP * cotangent).sum()))


def around(part: Part, source: Source, truth: Truth, steps: Iterable[Step]) -> dict[str, tuple[Array, Array]]:
    """Return what goes into each of these steps in the original graph, and what comes out, by the step's name."""
    ends = {step.name: (_result_of(part, step.inputs[0]), Ref(step.name)) for step in steps}
    known = {name: refs for name, refs in ends.items() if refs[0].node in part.original.nodes}
    feeds = part.feeds(source, [part.output]) | {part.image: truth.image}
    values = evaluate(part.original, feeds, list(dict.fromkeys(ref for refs in known.values() for ref in refs)))
    return {name: (values[before], values[after]) for name, (before, after) in known.items()}


def _result_of(part: Part, name: str) -> Ref:
    return part.image if name == IMAGE else Ref(name)


def _sample(shape: tuple[int, ...], axes: tuple[int, ...], seed: int) -> Array:
    canonical = sample_image(tuple(shape[axes.index(axis)] for axis in range(len(axes))), seed)
    return np.ascontiguousarray(canonical.astype(np.float32).astype(np.float64).transpose(axes))


def _shapes(part: Part, feeds: Mapping[Ref, Array], size: tuple[int, int] | None) -> Iterator[tuple[int, ...]]:
    """Yield shapes to try: the stated or asked one, an odd one, and the first with another batch."""
    stated = shape_known(part.graph, part.image)
    if stated is None:
        stated = (None, None, None, None)
    batch, *rest = stated
    if len(rest) != 3:
        known = fixed(tuple(rest))
        if known is None:
            raise SizeError(f"{part.graph.path}: the image {part.image.node!r} has the shape {list(stated)}, no sizes.")
        yield (batch or BATCH, *known)
        yield (batch or BATCH + 1, *known)
        return
    axes = image_axes(part.graph, part.image, 4)
    first = _completed(stated, axes, (BATCH, _channels(part, feeds), *(size or SIZE)))
    batch, channels, *pixels = (first[axes.index(axis)] for axis in range(4))
    if math.prod(first) > _MOST:
        raise SizeError(f"{part.graph.path}: images of the shape {list(first)} are too large to run the graph on.")
    yield first
    again = stated[0] or batch + 1
    yield tuple((again, channels, *(n + ODD - n % 2 for n in pixels))[axis] for axis in axes)
    yield tuple((again, channels, *pixels)[axis] for axis in axes)


def _completed(stated: tuple[int | None, ...], axes: tuple[int, ...], canonical: tuple[int, ...]) -> tuple[int, ...]:
    """Fill in what a shape leaves open."""
    return tuple(canonical[axis] if n is None else n for n, axis in zip(stated, axes, strict=True))


def _channels(part: Part, feeds: Mapping[Ref, Array]) -> int:
    """Return the channels that the first convolution takes."""
    for node in part.graph.nodes.values():
        if node.op in ("Conv2D", "DepthwiseConv2dNative"):
            kernel = evaluate(part.original, feeds, list(node.inputs[1:2]))
            shape = next(iter(kernel.values())).shape if kernel else ()
            return int(shape[2]) if len(shape) == 4 else COLOURS
    return COLOURS
