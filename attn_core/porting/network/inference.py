"""The part of a graph that computes the network's result outside of training."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from attn_core.porting.find.by_structure import Match, match
from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import needed
from attn_core.porting.graph.order import ancestors
from attn_core.porting.graph.reads import stored
from attn_core.porting.network import boundary
from attn_core.porting.network.clean import clean, rebuilt
from attn_core.porting.network.dropout import without_dropout
from attn_core.porting.network.momenta import momenta
from attn_core.porting.network.settings import Settings, settings
from attn_core.porting.network.source import Source
from attn_core.porting.network.steps.steps import Array

VARIABLES = ("Variable", "VariableV2", "VarHandleOp")


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
class Inference:
    """The part of a graph that computes the network's result outside of training.

    Fields:
        original: the graph as read, with dropout passed by, as far as a run up to the result may go.
        graph: the same, cleaned.
        blocks: the attention blocks by the product they end in.
        momenta: how fast the averages of batch norms move in training.
        dropped: how many nodes of the graph are not in it.
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
        found: dict[Ref, Callable[[], Array]] = {}
        for name, value in self.settings.items():
            if name in within:
                found[Ref(name)] = partial(np.asarray, value)
        # By name, since a set has no order, and what is read is noted in the order in which it is found.
        for name in sorted(within):
            reader = _reader(graph, graph.nodes[name], source)
            if reader is not None:
                found[Ref(name)] = reader
        return Lazy(found)


def _reader(graph: Graph, node: Node, source: Source) -> Callable[[], Array] | None:
    """Return what reads a variable, or one that the graph puts together of its parts."""
    # A checkpoint holds a partitioned variable as one: what puts the parts together is fed, not the parts.
    if node.op in VARIABLES and "/part_" not in node.name:
        return source.variable(node)
    if node.op != "ConcatV2":
        return None
    found = stored(graph, Ref(node.name))
    if found is None or found.frozen:
        return None
    return source.reader(found)


def inference_part(graph: Graph, options: Options) -> Inference:
    """Find the network in its graph. **Raises** `boundary.BoundaryError` if the graph does not show where it is."""
    values, decisions = settings(graph, options.settings or {})
    cleaned, alias = clean(graph, values)
    image = boundary.find_input(cleaned, values, options.image)
    cleaned, gone = without_dropout(cleaned, image.node)
    # An author's name may be that of a dropout's result, which is gone.
    named = {gone.get(ref, ref) for ref in boundary.given_names(graph, alias)}
    given = options.output and _resolved(alias, options.output)
    output, others = boundary.find_output(cleaned, image, named, given)
    decisions.append(f"image: {image.node}; result: {output.node}")
    if others:
        decisions.append(f"other results that were not taken: {', '.join(others)} (--output NODE takes one)")
    inside = _only(cleaned, ancestors(cleaned, [output.node]))
    _check_all_set(inside, values, image)
    # Run with its conditions and flags, so that a branch which was followed wrongly does not go unseen.
    original = rebuilt(graph, [_passing(node, gone) for node in graph.nodes.values()])
    run = ancestors(original, [output.node])
    decisions += [f"dropout removed: {ref.node}" for ref in gone if ref.node in run or ref.node == output.node]
    used = {name: value for name, value in values.items() if name in run}
    return Inference(
        original=_only(original, needed(original, [output.node])),
        graph=inside,
        image=image,
        output=output,
        settings=used,
        blocks={found.product: found for found in match(inside)[0]},
        # Read before the graph is cut: no result needs what moves the averages.
        momenta=momenta(original, used, image),
        decisions=tuple(decision for decision in decisions if _concerns(decision, used)),
        dropped=len(graph.nodes) - len(inside.nodes),
    )


def _only(graph: Graph, names: Container[str]) -> Graph:
    return rebuilt(graph, (node for node in graph.nodes.values() if node.name in names))


def _check_all_set(graph: Graph, values: Settings, image: Ref) -> None:
    """Check that no placeholder but the image is without a value."""
    placeholders = {node.name for node in graph.nodes.values() if node.op == "Placeholder"}
    unset = sorted(placeholders - {*values, image.node})
    if unset:
        names = ", ".join(map(repr, unset))
        raise boundary.BoundaryError(
            f"{graph.path}: the network needs {names}, of unknown value: --set {unset[0]}=VALUE."
        )


def _resolved(alias: Mapping[Ref, Ref], text: str) -> str:
    """Return the name of what stands for an output that a user named and that is gone."""
    name, _, output = text.partition(":")
    number = int(output) if output.isdigit() else 0
    ref = alias.get(Ref(name, number))
    return text if ref is None else f"{ref.node}:{ref.output}"


def _passing(node: Node, gone: Mapping[Ref, Ref]) -> Node:
    """Return an identity in place of a dropout: the graph stays what it was for everything that reads it."""
    data = gone.get(Ref(node.name))
    if data is None:
        return node
    return Node(node.name, "Identity", (data,), {"T": node.attributes["T"]})


def _concerns(decision: str, used: Settings) -> bool:
    """Whether a decision is on a setting that the result needs, or on something else than settings."""
    name, is_setting, _ = decision.partition(" = ")
    return name in used or not is_setting
