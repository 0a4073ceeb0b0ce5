"""From a graph's nodes to steps: each node by its rule, in the order of the data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import ancestors, descendants, places
from attn_core.porting.network.steps.axes import (
    NHWC,
    VECTOR,
    Axes,
    channels_last,
    image_axes,
    image_rank,
    is_image,
    unpermuted,
)
from attn_core.porting.network.steps.observed import RUNS, SIZES, Observed, OpenSizes, Sizes
from attn_core.porting.network.steps.steps import IMAGE, Array, Leaf, Step, Turn, Value, as_it_is
from attn_core.porting.network.steps.weights import laid_out, then

Rule = Callable[["Lifter", Node], "Value | None"]
UNKNOWN = "unknown"
MALFORMED = "its inputs or attributes are not those it must have"
_FAILURES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError)


class Unsupported(Exception):  # noqa: N818 - a finding about one node
    """Why a node has no counterpart; the message ends a sentence."""


@dataclass
class Lifter:
    """A graph, what was seen when it ran, and the steps found so far.

    `number` computes an output that does not depend on the image, or, of what is fed, on its sizes alone; `blocks`
    lifts the products in which blocks end; `weights` are the names of all variables; `data` are the nodes that depend
    on the image, `pixels` those that depend on more than its sizes; `rank` is the number of axes of the network's
    images, which may be signals or volumes.
    """

    graph: Graph
    observed: Observed
    number: Callable[..., Array]
    momenta: Mapping[str, float] = field(default_factory=dict)
    blocks: Mapping[str, Rule] = field(default_factory=dict)
    weights: Collection[str] = ()
    steps: dict[str, Step] = field(default_factory=dict)
    values: dict[Ref, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    data: set[str] = field(default_factory=set)
    pixels: set[str] = field(default_factory=set)
    rank: int = len(NHWC)
    image: Ref = field(default_factory=lambda: Ref(""))

    # ---- what rules ask of an output ---------------------------------------------------------------------------------

    def value(self, ref: Ref) -> Value:
        """Return the lifted form of an output."""
        if ref not in self.values:
            raise Unsupported(f"it reads {ref.node!r}, which is no image or vector made of the image")
        return self.values[ref]

    def input(self, node: Node) -> Value:
        """Return the lifted form of what a node reads first."""
        return self.value(node.inputs[0])

    def is_data(self, ref: Ref) -> bool:
        """Whether an output depends on the image."""
        return ref.node in self.data

    def follows_sizes(self, ref: Ref) -> bool:
        """Whether an output depends on the image, but on nothing of it beside its sizes."""
        return ref.node in self.data and ref.node not in self.pixels

    def in_runs(self, ref: Ref) -> list[Array]:
        """Return what an output that follows the sizes of the image was in each run."""
        asked = [self.graph.nodes[name] for name in ancestors(self.graph, [ref.node]) & self.data]
        asked = [node for node in asked if node.op in SIZES]
        return [self.number(ref, self.observed.asked(asked, run)) for run in range(RUNS)]

    def shape(self, ref: Ref) -> OpenSizes:
        """Return the graph's shape of an output, None for what follows the image."""
        return self.observed.shape(ref)

    def constant_shape(self, ref: Ref) -> Sizes:
        """Return the graph's shape of weights."""
        return self.observed.constant_shape(ref)

    def integers(self, ref: Ref) -> OpenSizes | None:
        """Return the small integers of an output, None where they follow the image; None if they are not known."""
        return self.observed.integers(ref)

    def fixed(self, ref: Ref) -> Sizes | None:
        """Return the small integers of an output if they are known and none follows the image."""
        return self.observed.fixed(ref)

    def is_image(self, rank: int) -> bool:
        """Whether arrays of so many axes are images, volumes or, in a network of signals, signals."""
        return is_image(rank, self.rank)

    # ---- what rules ask of a step ------------------------------------------------------------------------------------

    def step_of(self, value: Value, kind: str) -> Step | None:
        """Return the step behind a value if it is of this kind and read once, so that it may go into the next."""
        step = self.steps.get(value.step)
        if step is None or step.kind != kind:
            return None
        return step if self.readers(step) == 1 else None

    def readers(self, step: Step) -> int:
        """Return how often the graph reads a step's result."""
        nodes = self.graph.consumers.get(step.name, ())
        return sum(ref.node == step.name for node in nodes for ref in node.inputs)

    def leaf(self, ref: Ref, turn: Turn = as_it_is) -> Leaf:
        """Return weights: a variable, perhaps in another shape, or what the graph computes of variables."""
        found = laid_out(self.graph, self.observed, ref)
        if found is not None:
            return Leaf((found.variable,), then(found.turn, turn))
        value = turn(self.number(ref))
        return Leaf(turn=turn, value=np.ascontiguousarray(value), computed=ref.node)

    # ---- what rules answer -------------------------------------------------------------------------------------------

    def add(
        self,
        node: Node,
        kind: str,
        inputs: tuple[Value, ...],
        fields: Mapping[str, Any] | None = None,
        axes: Axes | None = None,
        arrays: Mapping[str, Leaf] | None = None,
        path: str = "",
    ) -> Value:
        """Add a step; its axes are its first input's where none are given."""
        name = node.name
        sources = tuple(value.step for value in inputs)
        self.steps[name] = Step(name, kind, sources, fields or {}, arrays or {}, path or name)
        return Value(name, inputs[0].axes if axes is None else axes)

    def changed(self, node: Node, step: Step, axes: Axes, **changes: Any) -> Value:
        """Add a step that takes the place of one before, which nothing reads any more."""
        self.steps[node.name] = replace(step, name=node.name, **changes)
        return Value(node.name, axes)

    def laid(self, value: Value, axes: Axes) -> Value:
        """Return a value whose graph axes mean these canonical ones, permuted if they do not yet."""
        if value.axes == axes:
            return value
        if sorted(value.axes) != sorted(axes):
            raise Unsupported(f"its input has {value.rank} axes where {len(axes)} are expected")
        permutation = axes.canonical(value.axes)
        digits = "".join(map(str, permutation))
        name = f"{value.step}:{digits}"  # no node has a colon in its name
        self.steps[name] = Step(name, "permute", (value.step,), {"axes": permutation}, path=name)
        return Value(name, axes)

    # ---- the walk ----------------------------------------------------------------------------------------------------

    def run(self, rules: Mapping[str, Rule], image: Ref, output: Ref, heads: Mapping[str, Ref] | None = None) -> Value:
        """Lift everything between the image and the output; `Value` of the output, or of a dictionary of heads."""
        self.image = image
        rank = len(self.shape(image))
        self.rank = image_rank(self.graph, image, rank)
        self.values[image] = Value(IMAGE, image_axes(self.graph, image, rank))
        self.data = descendants(self.graph, [image.node])
        self.pixels = descendants(self.graph, [image.node], but=SIZES)
        needed = ancestors(self.graph, [ref.node for ref in heads.values()] if heads else [output.node])
        between = (needed & self.data) - {image.node}
        # In the order of the data, for rules look at the steps before theirs.
        order = places(self.graph)
        for name in sorted(between, key=order.__getitem__):
            self._visit(rules, self.graph.nodes[name])
        return self._together(output.node, heads) if heads else self.values[output]

    def _together(self, name: str, heads: Mapping[str, Ref]) -> Value:
        """Add the step that puts the values of heads into a dictionary."""
        inputs = tuple(self.values[ref].step for ref in heads.values())
        self.steps[name] = Step(name, "heads", inputs, {"keys": tuple(heads)}, path=name)
        return Value(name, VECTOR)

    def _visit(self, rules: Mapping[str, Rule], node: Node) -> None:
        if Ref(node.name) in self.observed.numbers or self.follows_sizes(Ref(node.name)):
            return  # the arithmetic of shapes, whose results were seen, and what is made of it
        try:
            value = self._lifted(rules, node)
        except Unsupported as reason:
            value = self._gap(node, str(reason))
        except _FAILURES:
            # Rules rely on what TensorFlow guarantees of an operation; a damaged or hostile file keeps no promise.
            value = self._gap(node, MALFORMED)
        if value is not None:
            self.values[Ref(node.name)] = value

    def _lifted(self, rules: Mapping[str, Rule], node: Node) -> Value | None:
        if node.op not in rules:
            raise Unsupported("this operation is not known here")
        if node.name in self.blocks:
            block = self.blocks[node.name](self, node)
            if block is not None:
                return block
        return rules[node.op](self, node)

    def _gap(self, node: Node, reason: str) -> Value:
        """Add a step that says what is missing, and take its axes for the usual ones: what follows is lifted, too."""
        inputs = tuple(self.values[ref] for ref in node.inputs if ref in self.values)
        rank = len(self.shape(Ref(node.name)))
        axes = channels_last(rank) if self.is_image(rank) else unpermuted(rank)
        return self.add(node, UNKNOWN, inputs, {"op": node.op, "reason": reason}, axes)


def alive(steps: Mapping[str, Step], end: str) -> list[Step]:
    """Return the steps that the result needs, in order."""
    needed: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in needed:
            needed.add(name)
            waiting.extend(steps[name].inputs)
    return [step for name, step in steps.items() if name in needed]
