"""What the original graph computes: its result, its derivative along a direction, what enters and leaves blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.network.images import SizeError, lengths, sample, shapes
from attn_core.porting.network.inference import Inference
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.axes import image_axes
from attn_core.porting.network.steps.observed import RUNS, Observed, Sizes
from attn_core.porting.network.steps.steps import IMAGE, Array, Step
from attn_core.weights.files.tf1.errors import CheckpointError

STEP = 1e-30  # of the complex step: so small that nothing but the first derivative is left


@dataclass(frozen=True)
class Truth:
    """One run of the graph in float64, on an image in the graph's own layout.

    Fields:
        heads: the shapes of several results, which `output` joins.
        slope: the derivative of sum(output * cotangent) along `direction`.
    """

    image: Array
    direction: Array
    output: Array
    cotangent: Array
    slope: float
    heads: tuple[Sizes, ...] = ()


class Ends(NamedTuple):
    """What goes into a step in the original graph, and what comes out."""

    before: Ref
    after: Ref


def truths(inference: Inference, source: Source, size: Sizes | None) -> tuple[list[Truth], Observed]:
    """Run the graph on two images, of different sizes where it takes them; and return what was seen of each output.

    **Raises** `SizeError`, `UnknownOpError`, `CheckpointError`.
    """
    graph = inference.graph
    feeds = inference.feeds(source, [inference.output])
    first, *others = shapes(inference, feeds, size)
    observed = Observed()
    found = [_run(inference, feeds, first, observed, seed=0)]
    for shape in others:
        attempt = observed.copy()
        try:
            found.append(_run(inference, feeds, shape, attempt, seed=1))
        except CheckpointError:
            continue  # a network whose dense layers fit one size only
        observed = attempt
        break
    if len(found) < RUNS:
        raise SizeError(f"{graph.path} runs on images of shape {list(first)}, but on no other batch.")
    observed.constants(graph, graph.nodes)
    return found, observed


def _run(inference: Inference, feeds: Lazy[Ref], shape: Sizes, observed: Observed, seed: int) -> Truth:
    axes = image_axes(inference.graph, inference.image, len(shape))
    image = sample(shape, axes, 2 * seed)
    direction = sample(shape, axes, 2 * seed + 1)
    # The imaginary part carries the derivative along, without the rounding of a difference of two results.
    given = feeds | {inference.image: image + 1j * STEP * direction}
    for ref, array in given.items():
        observed.watch(ref, array)
    output, heads = _output(inference, given, shape, observed)
    # Of another stream than the images, which have seeds of one number.
    cotangent = np.random.default_rng([seed, 3]).standard_normal(output.shape)
    slope = (output.imag / STEP * cotangent).sum()
    real = output.real.copy()  # a view would keep the imaginary half in memory
    return Truth(image, direction, real, cotangent, float(slope), heads)


def _output(
    inference: Inference, given: Lazy[Ref], shape: Sizes, observed: Observed
) -> tuple[Array, tuple[Sizes, ...]]:
    end = inference.output
    heads = inference.heads.values()
    try:
        found = evaluate(inference.original, given, [end, *heads], watch=observed.watch)
    except CheckpointError as error:
        said = (
            f"{error} The image had the shape {list(shape)}; {_another(lengths(inference, len(shape)))} gives another."
        )
        raise type(error)(said) from None
    output = found[end]
    images, *_ = shape
    if output.shape[:1] != (images,):
        path = inference.graph.path
        raise CheckpointError(f"{path}: of {images} images, the result has {list(output.shape)}.")
    return output, tuple(found[ref].shape for ref in heads)


def _another(count: int) -> str:
    """Return the option that gives a size of so many numbers."""
    return {1: "--size LENGTH", 3: "--size DEPTH,HEIGHT,WIDTH"}.get(count, "--size HEIGHT,WIDTH")


def around(inference: Inference, source: Source, truth: Truth, steps: Iterable[Step]) -> dict[str, tuple[Array, Array]]:
    """Return what goes into each of these steps in the original graph, and what comes out, by the step's name."""
    ends = {step.name: Ends(_result_of(inference, step.inputs[0]), Ref(step.name)) for step in steps}
    # What a step reads need not be in the graph: a permutation that was put before it is not.
    known = {name: each for name, each in ends.items() if each.before.node in inference.original.nodes}
    wanted = dict.fromkeys(ref for each in known.values() for ref in each)
    feeds = inference.feeds(source, [inference.output]) | {inference.image: truth.image}
    values = evaluate(inference.original, feeds, list(wanted))
    return {name: (values[each.before], values[each.after]) for name, each in known.items()}


def _result_of(inference: Inference, name: str) -> Ref:
    return inference.image if name == IMAGE else Ref(name)
