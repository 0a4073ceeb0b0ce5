"""From a graph's nodes to steps: each node by its rule, in the order of the data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import ancestors, descendants, places
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.steps.steps import IMAGE, NCHW, NHWC, Array, Leaf, Step, Value
from attn_core.porting.network.steps.trace import Trace, fixed

Rule = Callable[["Lifter", Node], "Value | None"]
Turn = Callable[[Array], Array]
UNKNOWN = "unknown"
_FAILURES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, AssertionError)
_MOVES = 8  # how often weights are reshaped and transposed at most before they are used


class Unsupported(Exception):  # noqa: N818 - a finding about one node
    """Why a node has no counterpart; the message ends a sentence."""


@dataclass
class Lifter:
    """A graph, what was seen when it ran, and the steps found so far.

    `number` computes an output that does not depend on the image; `blocks` lifts the products in which blocks end;
    `weights` are the names of all variables.
    """

    graph: Graph
    trace: Trace
    number: Callable[[Ref], Array]
    momenta: Mapping[str, float] = field(default_factory=dict)
    blocks: Mapping[str, Rule] = field(default_factory=dict)
    weights: Collection[str] = ()
    steps: dict[str, Step] = field(default_factory=dict)
    values: dict[Ref, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    data: set[str] = field(default_factory=set)

    # ---- what rules ask ----------------------------------------------------------------------------------------------

    def value(self, ref: Ref) -> Value:
        """Return the lifted form of an output."""
        if ref not in self.values:
            raise Unsupported(f"it reads {ref.node!r}, which is no image or vector made of the image")
        return self.values[ref]

    def is_data(self, ref: Ref) -> bool:
        """Whether an output depends on the image."""
        return ref.node in self.data

    def shape(self, ref: Ref) -> tuple[int | None, ...]:
        """Return the graph's shape of an output, None for what follows the image."""
        return self.trace.shape(ref)

    def step_of(self, value: Value, kind: str) -> Step | None:
        """Return the step behind a value if it is of this kind and read once."""
        step = self.steps.get(value.step)
        return step if step and step.kind == kind and self.readers(step) == 1 else None

    def readers(self, step: Step) -> int:
        """Return how often the graph reads a step's result."""
        return sum(ref.node == step.name for node in self.graph.consumers.get(step.name, ()) for ref in node.inputs)

    def leaf(self, ref: Ref, turn: Turn = lambda array: array) -> Leaf:
        """Return weights: a variable, perhaps in another shape, or what the graph computes of variables."""
        source, laid = ref, turn
        for _ in range(_MOVES):
            found = stored(self.graph, source)
            if found is not None:
                return Leaf((found,), laid)
            moved = self._moved(source)
            if moved is None:
                break
            source, laid = self.graph.nodes[source.node].inputs[0], _then(moved, laid)
        return Leaf((), turn, np.ascontiguousarray(turn(self.number(ref))), ref.node)

    def _moved(self, ref: Ref) -> Turn | None:
        """Return how a node lays its numbers out anew, if that is all it does."""
        node = self.graph.nodes[ref.node]
        if node.op in ("Reshape", "Squeeze", "ExpandDims"):
            shape = self.trace.shapes[ref][0]
            return lambda array: array.reshape(shape)
        order = fixed(self.trace.integers(node.inputs[1])) if node.op == "Transpose" else None
        return None if order is None else lambda array: array.transpose(order)

    def add(
        self,
        node: Node,
        kind: str,
        inputs: tuple[Value, ...],
        fields: Mapping[str, Any] | None = None,
        axes: tuple[int, ...] | None = None,
        arrays: Mapping[str, Leaf] | None = None,
        path: str = "",
    ) -> Value:
        """Add a step; its axes are its first input's where none are given."""
        name = node.name
        self.steps[name] = Step(name, kind, tuple(v.step for v in inputs), fields or {}, arrays or {}, path or name)
        return Value(name, inputs[0].axes if axes is None else axes)

    def changed(self, node: Node, step: Step, axes: tuple[int, ...], **changes: Any) -> Value:
        """Add a step that takes the place of one before."""
        self.steps[node.name] = replace(step, name=node.name, **changes)
        return Value(node.name, axes)

    def laid(self, value: Value, axes: tuple[int, ...]) -> Value:
        """Return a value whose graph axes mean these canonical ones, permuted if they do not yet."""
        if value.axes == axes:
            return value
        if sorted(value.axes) != sorted(axes):
            raise Unsupported(f"its input has {value.rank} axes where {len(axes)} are expected")
        order = dict(zip(axes, value.axes, strict=True))
        permutation = tuple(order[axis] for axis in range(len(axes)))
        name = f"{value.step}:{''.join(map(str, permutation))}"
        self.steps[name] = Step(name, "permute", (value.step,), {"axes": permutation}, path=name)
        return Value(name, axes)

    # ---- the walk ----------------------------------------------------------------------------------------------------

    def run(self, rules: dict[str, Rule], image: Ref, output: Ref) -> Value:
        """Lift everything between the image and the output; `Value` of the output."""
        needed = ancestors(self.graph, [output.node])
        self.data = descendants(self.graph, [image.node])
        self.values[image] = Value(IMAGE, image_axes(self.graph, image, len(self.trace.shape(image))))
        order = places(self.graph)
        for name in sorted((needed & self.data) - {image.node}, key=order.__getitem__):
            self._visit(rules, self.graph.nodes[name])
        return self.values[output]

    def _visit(self, rules: dict[str, Rule], node: Node) -> None:
        if Ref(node.name) in self.trace.numbers:
            return  # the arithmetic of shapes
        try:
            if node.op not in rules:
                raise Unsupported("this operation is not known here")
            value = self.blocks[node.name](self, node) if node.name in self.blocks else None
            value = value or rules[node.op](self, node)
            if value is not None:
                self.values[Ref(node.name)] = value
        except (Unsupported, *_FAILURES) as error:
            reason = error if isinstance(error, Unsupported) else "its inputs or attributes are not those it must have"
            inputs = tuple(self.values[ref] for ref in node.inputs if ref in self.values)
            known = tuple(range(len(self.trace.shape(Ref(node.name)))))
            plain = NHWC if len(known) == 4 else known
            self.values[Ref(node.name)] = self.add(node, UNKNOWN, inputs, {"op": node.op, "reason": str(reason)}, plain)


def _then(first: Turn, second: Turn) -> Turn:
    return lambda array: second(first(array))


def image_axes(graph: Graph, image: Ref, rank: int) -> tuple[int, ...]:
    """Return which canonical axis each axis of the image is, which the first layer tells."""
    if rank != 4:
        return tuple(range(rank))
    seen = descendants(graph, [image.node])
    nodes = [node for node in graph.nodes.values() if node.name in seen]
    first = next((node for node in nodes if node.op == "Transpose" or node.attributes["data_format"].s), None)
    return NCHW if first and first.attributes["data_format"].s == b"NCHW" else NHWC


def alive(steps: dict[str, Step], end: str) -> list[Step]:
    """Return the steps that the result needs, in order."""
    needed, waiting = set(), [end]
    while waiting:
        name = waiting.pop()
        if name in steps and name not in needed:
            needed.add(name)
            waiting.extend(steps[name].inputs)
    return [step for name, step in steps.items() if name in needed]
