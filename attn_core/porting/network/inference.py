"""The part of a graph that computes the network's result outside of training."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from attn_core.porting.find.by_structure import Match, match
from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.lazy import Lazy
from attn_core.porting.graph.ops.evaluate import needed
from attn_core.porting.graph.order import ancestors
from attn_core.porting.graph.reads import VARIABLES, stored
from attn_core.porting.network.accounted import beside, left_out, refuse, require_joined
from attn_core.porting.network.batch_statistics import with_averages
from attn_core.porting.network.boundary import BoundaryError
from attn_core.porting.network.candidates import given_names
from attn_core.porting.network.clean import clean, rebuilt
from attn_core.porting.network.dropout import without_dropout
from attn_core.porting.network.end import End, find_output
from attn_core.porting.network.heads import JOINED, joined
from attn_core.porting.network.momenta import momenta
from attn_core.porting.network.settings import Settings, settings
from attn_core.porting.network.source import Source
from attn_core.porting.network.start import cut, find_input
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array


@dataclass(frozen=True)
class Options:
    """What a user may say of a network that its file does not tell.

    Fields:
        image, output: nodes, where the graph does not show the network's ends; several results with commas between.
        settings: values of placeholders by name.
        size: height and width of the images it is run on, where the graph leaves them open; of signals their length,
            of volumes depth, height and width.
    """

    image: str | None = None
    output: str | None = None
    settings: Mapping[str, float | bool] | None = None
    size: Sizes | None = None


@dataclass(frozen=True)
class Inference:
    """The part of a graph that computes the network's result outside of training.

    Fields:
        original: the graph as read, with dropout passed by, as far as a run up to the result may go.
        graph: the same, cleaned.
        heads: of several results, which `output` joins, each by its name.
        blocks: the attention blocks by the product they end in.
        momenta: how fast the averages of batch norms move in training.
        dropped: how many nodes of the graph are not in it.
    """

    original: Graph
    graph: Graph
    image: Ref
    output: Ref
    heads: Mapping[str, Ref]
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
    """Find the network in its graph. **Raises** `BoundaryError` if the graph does not show where it is."""
    values, decisions = settings(graph, options.settings or {})
    fed, image, said = _fed(graph, values, options.image)
    decisions += said
    outside, said = _outside_of_training(fed, values, image)
    decisions += said
    cleaned = clean(outside, values)
    used, gone = without_dropout(cleaned.graph, image.node)
    end = _end(graph, used, image, cleaned.alias, gone, options.output)
    ends = end.heads or {end.result.node: end.result}
    behind = left_out(outside, cleaned, ends.values())
    if behind and not end.given:
        refuse(outside, end.result, behind)
    decisions += _on_the_end(image, end, behind)
    if others := beside(used, image, (*ends.values(), *end.others, *end.aside)):
        decisions.append(
            f"left out, {len(others)} operations with weights that read the image and something else that is fed, or "
            f"lead to no result: {others[0]}, ..."
        )
    output = end.result
    if end.heads:
        outside, used = (joined(each, end.heads.values()) for each in (outside, used))
        output = Ref(JOINED)
    inside = _only(used, ancestors(used, [output.node]))
    _check_all_set(inside, values, image)
    # Run with its conditions and flags, so that a branch which was followed wrongly does not go unseen.
    original = rebuilt(outside, [_passing(node, gone) for node in outside.nodes.values()])
    run = ancestors(original, [output.node])
    decisions += [f"dropout removed: {ref.node}" for ref in gone if ref.node in run or ref.node == output.node]
    set_values = {name: value for name, value in values.items() if name in run}
    return Inference(
        original=_only(original, needed(original, [output.node])),
        graph=inside,
        image=image,
        output=output,
        heads=end.heads,
        settings=set_values,
        blocks={found.product: found for found in match(inside)[0]},
        # Read before the graph is cut and set to inference: no result needs what moves the averages.
        momenta=momenta(fed, set_values),
        decisions=tuple(decision for decision in decisions if _concerns(decision, set_values)),
        dropped=len(graph.nodes.keys() - inside.nodes.keys()),
    )


def _end(
    graph: Graph, used: Graph, image: Ref, alias: Mapping[Ref, Ref], gone: Mapping[Ref, Ref], given: str | None
) -> End:
    """Find the result among what is left of a graph, by the names that its author gave."""

    # An author's name may be that of a dropout's result, which is gone.
    def left(ref: Ref) -> Ref:
        ref = alias.get(ref, ref)
        return gone.get(ref, ref)

    named = {gone.get(ref, ref) for ref in given_names(graph, alias)}
    signed = {key: left(ref) for key, ref in graph.signature.items()}
    asked = {text: _resolved(alias, text) for text in given.split(",")} if given else {}
    return find_output(used, image, named, signed, asked)


def _on_the_end(image: Ref, end: End, behind: Sequence[str]) -> Iterator[str]:
    """Yield sentences on the image, the result, and what was not taken."""
    if end.heads:
        listed = ", ".join(f"{key} ({ref.node})" if key != ref.node else key for key, ref in end.heads.items())
        yield f"image: {image.node}; results, a dictionary: {listed}"
    else:
        yield f"image: {image.node}; result: {end.result.node}"
    if behind:
        yield f"{len(behind)} operations with weights need the result and were left out: {behind[0]}, ..."
    if end.others:
        listed = ", ".join(ref.node for ref in end.others)
        yield f"other results that were not taken: {listed} (--output NODE takes one)"
    if end.aside:
        listed = ", ".join(ref.node for ref in end.aside)
        yield f"left out, as heads that are there for the loss of a training: {listed}"


def _fed(graph: Graph, values: Settings, given: str | None) -> tuple[Graph, Ref, list[str]]:
    """Return the graph as it is fed its image, and what stood before the image."""
    # A name that a user gives may be that of a node which cleaning passes by.
    found = find_input(graph if given else clean(graph, values).graph, values, given)
    fed, image, before = cut(graph, found)
    said = [f"cut at the image {found.node!r}; before it stood: {', '.join(before)}"] if before else []
    return fed, image, said


def _outside_of_training(graph: Graph, values: Settings, image: Ref) -> tuple[Graph, list[str]]:
    """Return the graph with the moving averages in batch norms that take the statistics of their batch."""
    set_to_inference, changed = with_averages(graph, clean(graph, values).graph, image)
    if not changed:
        return graph, []
    require_joined(graph, set_to_inference, image)
    said = f"{len(changed)} statistics of a batch gave way to their moving averages: {changed[0]}, ..."
    return set_to_inference, [f"a training graph, set to inference: {said}"]


def _only(graph: Graph, names: Container[str]) -> Graph:
    return rebuilt(graph, (node for node in graph.nodes.values() if node.name in names))


def _check_all_set(graph: Graph, values: Settings, image: Ref) -> None:
    """Check that no placeholder but the image is without a value."""
    placeholders = {node.name for node in graph.nodes.values() if node.op == "Placeholder"}
    unset = sorted(placeholders - {*values, image.node})
    if unset:
        names = ", ".join(map(repr, unset))
        raise BoundaryError(f"{graph.path}: the network needs {names}, of unknown value: --set {unset[0]}=VALUE.")


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
