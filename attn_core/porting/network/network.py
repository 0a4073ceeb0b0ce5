"""A TensorFlow 1 network, read: its steps, its weights, and what it computed when it ran."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from attn_core.blocks import CBAM, ChannelAttention, SpatialAttention
from attn_core.porting.find.by_structure import Match
from attn_core.porting.find.naming import names
from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.graph.ops.evaluate import evaluate
from attn_core.porting.graph.reads import is_weight, whole_name
from attn_core.porting.network.inference import Inference
from attn_core.porting.network.rules import RULES
from attn_core.porting.network.rules.attention import squeeze_excitation
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.axes import Axes
from attn_core.porting.network.steps.lift import Lifter, Rule, alive
from attn_core.porting.network.steps.observed import Observed
from attn_core.porting.network.steps.steps import Array, Step, Value

_WITH_MAXIMA = (ChannelAttention, SpatialAttention, CBAM)


@dataclass(frozen=True)
class Network:
    """A network's steps in order; the last value is its result."""

    inference: Inference
    source: Source
    steps: tuple[Step, ...]
    result: Value
    image_axes: Axes
    rank: int
    """The number of axes of its images: 3 of signals, 5 of volumes."""
    heads: Mapping[str, Axes]
    """The axes of several results in the graph; empty for one."""
    notes: tuple[str, ...]
    called: Mapping[str, str]
    """The attention blocks' names by the step they end in."""
    axes: Mapping[str, Axes]
    """The axes of the images of attention blocks in the graph, likewise."""


def lifted(inference: Inference, source: Source, observed: Observed) -> Network:
    """Turn the part of a graph that was run into steps."""
    graph = inference.graph
    weights = {whole_name(name) for name, node in graph.nodes.items() if is_weight(node)}
    called = _names(inference.blocks, weights)
    blocks = {product: _rule(found, called[product]) for product, found in inference.blocks.items()}

    def number(ref: Ref, sizes: Mapping[Ref, Array] = MappingProxyType({})) -> Array:
        feeds = inference.feeds(source, [ref], graph) | sizes
        return evaluate(graph, feeds, [ref])[ref]

    lifter = Lifter(graph, observed, number, inference.momenta, blocks, weights)
    result = lifter.run(RULES, inference.image, inference.output, inference.heads)
    steps = alive(lifter.steps, result.step)
    attention = [step for step in steps if step.kind == "attention"]
    # Blocks that were found among steps, not in the graph, have no name yet.
    found = {step.name: step.path for step in attention if step.name not in called}
    # Each note once: several steps may read the same.
    notes = dict.fromkeys([*lifter.notes, *_computed(steps), *_on_maxima(graph, attention)])
    return Network(
        inference=inference,
        source=source,
        steps=tuple(steps),
        result=result,
        image_axes=lifter.values[inference.image].axes,
        rank=lifter.rank,
        heads={key: lifter.values[ref].axes for key, ref in inference.heads.items()},
        notes=tuple(notes),
        called=called | found,
        axes={step.name: lifter.values[Ref(step.name)].axes for step in attention},
    )


def _names(blocks: Mapping[str, Match], weights: Collection[str]) -> dict[str, str]:
    """Name the blocks that the graph's structure showed, by the product they end in."""
    pairs = [found.pair for found in blocks.values()]
    return dict(zip(blocks, names(pairs, weights), strict=True))


def _on_maxima(graph: Graph, attention: Iterable[Step]) -> Iterator[str]:
    """Say where a gradient will differ: `Max` shares it among equal numbers, layers give it to the first."""
    takes_maxima = [step.path for step in attention if isinstance(step.fields["block"], _WITH_MAXIMA)]
    if takes_maxima and any(node.op == "Max" for node in graph.nodes.values()):
        first = takes_maxima[0]
        yield (
            f"TensorFlow's `Max` shares its gradient among equal numbers; in {first!r} and blocks like it the first "
            "has it, so training differs where maxima are tied, as after a relu"
        )


def _computed(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for leaf in step.arrays.values():
            if leaf.computed:
                yield f"{leaf.computed!r} is computed from weights in the graph; here it is a constant"


def _rule(found: Match, path: str) -> Rule:
    return partial(squeeze_excitation, found=found, path=path)
