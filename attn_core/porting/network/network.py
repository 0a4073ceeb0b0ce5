"""A TensorFlow 1 network, read: its steps, its weights, and what it computed when it ran."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from attn_core.porting.find.by_structure import Match, match
from attn_core.porting.find.naming import names
from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import evaluate, needed
from attn_core.porting.graph.order import ancestors
from attn_core.porting.graph.reads import FLOATS, stored, whole_name
from attn_core.porting.network import boundary
from attn_core.porting.network.clean import clean, rebuilt
from attn_core.porting.network.dropout import without_dropout
from attn_core.porting.network.momenta import momenta
from attn_core.porting.network.rules import RULES
from attn_core.porting.network.rules.attention import squeeze_excitation
from attn_core.porting.network.settings import Settings, settings
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.lift import Lifter, Rule, alive
from attn_core.porting.network.steps.steps import Array, Step, Value
from attn_core.porting.network.steps.trace import Trace


@dataclass(frozen=True)
class Options:
    """What a user may say of a network that its file does not tell.

    Fields:
        image, output: nodes, where the graph does not show the network's ends.
        settings: values of placeholders by name.
        size: height and width of the images it is run on, where the graph leaves them open.
    """

    image: str | None = None
    output: str | None = None
    settings: Mapping[str, float | bool] | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Part:
    """The part of a graph that computes the network's result outside of training.

    Fields:
        original: the graph as read, with dropout passed by, as far as a run up to the result may go.
        graph: the same, cleaned.
        blocks: the attention blocks by the product they end in.
        momenta: how fast the averages of batch norms move in training.
    """

    original: Graph
    graph: Graph
    image: Ref
    output: Ref
    settings: Settings
    blocks: Mapping[str, Match]
    momenta: Mapping[str, float]
    decisions: tuple[str, ...]
    dropped: int

    def feeds(self, source: Source, ends: Iterable[Ref], graph: Graph | None = None) -> Lazy[Ref]:
        """Return the values of settings and variables that these outputs need, in the original graph or another."""
        graph = graph or self.original
        within = ancestors(graph, [ref.node for ref in ends])
        found: dict[Ref, Callable[[], Array]] = {
            Ref(name): partial(np.asarray, value) for name, value in self.settings.items() if name in within
        }
        for name in sorted(within):
            if (reader := _fed(graph, graph.nodes[name], source)) is not None:
                found[Ref(name)] = reader
        return Lazy(found)


def _fed(graph: Graph, node: Node, source: Source) -> Callable[[], Array] | None:
    """Return what reads a variable, or one that the graph puts together of its parts."""
    if node.op in ("Variable", "VariableV2", "VarHandleOp") and "/part_" not in node.name:
        return source.variable(node)
    if node.op == "ConcatV2":
        found = stored(graph, Ref(node.name))
        if found is not None and not found.frozen:
            return source.reader(found)
    return None


def inference_part(graph: Graph, options: Options) -> Part:
    """Find the network in its graph. **Raises** `boundary.BoundaryError` if the graph does not show where it is."""
    values, decisions = settings(graph, options.settings or {})
    cleaned, alias = clean(graph, values)
    image = boundary.find_input(cleaned, values, options.image)
    named = boundary.given_names(graph, alias)
    cleaned, gone = without_dropout(cleaned, image.node)
    given = options.output and _through(alias, options.output)
    named = {gone.get(ref, ref) for ref in named}
    output, others = boundary.find_output(cleaned, image, named, given)
    decisions.append(f"image: {image.node}; result: {output.node}")
    if others:
        decisions.append(f"other results that were not taken: {', '.join(others)} (--output NODE takes one)")
    inside = _only(cleaned, ancestors(cleaned, [output.node]))
    if unset := sorted(inside.nodes.keys() & _open(cleaned, values, image)):
        raise boundary.BoundaryError(
            f"{graph.path}: the network needs {', '.join(map(repr, unset))}, of unknown value: --set {unset[0]}=VALUE."
        )
    original = rebuilt(graph, (_passed_by(node, gone) for node in graph.nodes.values()))
    run = ancestors(original, [output.node])
    decisions.extend(f"dropout removed: {ref.node}" for ref in gone if ref.node in run or ref.node == output.node)
    blocks = {found.product: found for found in match(inside)[0]}
    used = {name: value for name, value in values.items() if name in run}
    kept = [each for each in decisions if each.partition(" = ")[0] in used or " = " not in each]
    moves = momenta(original, used, image)
    original = _only(original, needed(original, [output.node]))
    return Part(original, inside, image, output, used, blocks, moves, tuple(kept), len(graph.nodes) - len(inside.nodes))


def _only(graph: Graph, names: Container[str]) -> Graph:
    return rebuilt(graph, (node for node in graph.nodes.values() if node.name in names))


def _open(graph: Graph, settings: Settings, image: Ref) -> set[str]:
    """Return the placeholders that have no value."""
    nodes = (node for node in graph.nodes.values() if node.op == "Placeholder")
    return {node.name for node in nodes if node.name not in settings and node.name != image.node}


def _through(alias: Mapping[Ref, Ref], text: str) -> str:
    name, _, output = text.partition(":")
    ref = alias.get(Ref(name, int(output) if output.isdigit() else 0))
    return text if ref is None else f"{ref.node}:{ref.output}"


def _passed_by(node: Node, gone: Mapping[Ref, Ref]) -> Node:
    data = gone.get(Ref(node.name))
    return node if data is None else Node(node.name, "Identity", (data,), {"T": node.attributes["T"]})


@dataclass(frozen=True)
class Network:
    """A network's steps in order; the last value is its result."""

    part: Part
    source: Source
    steps: tuple[Step, ...]
    result: Value
    image_axes: tuple[int, ...]
    notes: tuple[str, ...]
    called: Mapping[str, str]
    """The attention blocks' names by the step they end in."""
    axes: Mapping[str, tuple[int, ...]]
    """Which canonical axis each axis of the graph is there."""


def lifted(part: Part, source: Source, trace: Trace) -> Network:
    """Turn the part of a graph that was traced into steps."""
    others = {whole_name(name) for name, node in part.graph.nodes.items() if _is_weight(node)}
    called = dict(zip(part.blocks, names([found.pair for found in part.blocks.values()], others), strict=True))
    lifter = Lifter(
        part.graph,
        trace,
        lambda ref: evaluate(part.graph, part.feeds(source, [ref], part.graph), [ref])[ref],
        part.momenta,
        {product: _rule(found, called[product]) for product, found in part.blocks.items()},
        others,
    )
    result = lifter.run(RULES, part.image, part.output)
    steps = alive(lifter.steps, result.step)
    blocks = [step for step in steps if step.kind == "attention"]
    notes = dict.fromkeys([*lifter.notes, *_computed(steps)])
    layouts = {step.name: lifter.values[Ref(step.name)].axes for step in blocks}
    called |= {step.name: step.path for step in blocks if step.name not in called}
    image_axes = lifter.values[part.image].axes
    return Network(part, source, tuple(steps), result, image_axes, tuple(notes), called, layouts)


def _computed(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for leaf in step.arrays.values():
            if leaf.computed:
                yield f"{leaf.computed!r} is computed from weights in the graph; here it is a constant"


def _is_weight(node: Node) -> bool:
    if node.op != "Const":
        return node.op in ("Variable", "VariableV2", "VarHandleOp")
    tensor = node.attributes["value"].tensor
    return tensor.dtype in FLOATS and bool(tensor.tensor_shape.dim)


def _rule(found: Match, path: str) -> Rule:
    return partial(squeeze_excitation, found=found, path=path)
