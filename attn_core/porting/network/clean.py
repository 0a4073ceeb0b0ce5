"""Cleaning a graph: what is settled outside of training is settled, what passes a value on is gone."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.order import places
from attn_core.porting.network.settings import Settings
from attn_core.weights.files.tf1.errors import CheckpointError

_PASS = frozenset({"Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot", "ReadVariableOp"})
_BOOL = 10  # DataType
_LOGIC: dict[str, Callable[..., bool]] = {
    "LogicalNot": lambda a: not a,
    "LogicalAnd": lambda a, b: a and b,
    "LogicalOr": lambda a, b: a or b,
}


@dataclass
class _Cleaner:
    """Walks a graph in the order of its data.

    Fields:
        alias: what stands for an output that is gone.
        truth: the conditions that are known.
        dead, dead_nodes: the outputs, and the nodes as a whole, that no data reaches.
    """

    graph: Graph
    settings: Settings
    alias: dict[Ref, Ref] = field(default_factory=dict)
    truth: dict[Ref, bool] = field(default_factory=dict)
    dead: set[Ref] = field(default_factory=set)
    dead_nodes: set[str] = field(default_factory=set)
    nodes: dict[str, Node] = field(default_factory=dict)

    def visit(self, node: Node) -> None:
        """Keep a node, or say what stands for its outputs."""
        inputs = tuple(self.alias.get(ref, ref) for ref in node.inputs)
        if node.op in ("Merge", "RefMerge"):
            # The one node that runs with a dead input: it hands on what comes from the branch that was taken.
            alive = [ref for ref in inputs if not self._is_dead(ref)]
            if not alive:
                self.dead_nodes.add(node.name)  # it ends a condition inside a branch that was not taken
                return
            if len(alive) == 1:
                self.alias[Ref(node.name)] = alive[0]
                return
        elif self._reads_dead(node, inputs):
            self.dead_nodes.add(node.name)
            return
        if node.name in self.settings:
            self._settle(node)
            self.nodes[node.name] = replace(node, inputs=())
        elif not self._passes(node, inputs) and not self._decides(node, inputs):
            self.nodes[node.name] = replace(node, inputs=inputs)

    def _reads_dead(self, node: Node, inputs: Iterable[Ref]) -> bool:
        needed = [*inputs, *map(Ref, node.controls)]
        return any(self._is_dead(ref) for ref in needed)

    def _is_dead(self, ref: Ref) -> bool:
        return ref in self.dead or ref.node in self.dead_nodes

    def _settle(self, node: Node) -> None:
        value = self.settings[node.name]
        if value.dtype == bool:
            self.truth[Ref(node.name)] = bool(value)

    def _passes(self, node: Node, inputs: tuple[Ref, ...]) -> bool:
        """Follow a node that hands its inputs on as they are."""
        if node.op in _PASS or node.op == "PlaceholderWithDefault":
            self.alias[Ref(node.name)] = inputs[0]
            return True
        if node.op == "IdentityN":
            for output, ref in enumerate(inputs):
                self.alias[Ref(node.name, output)] = ref
            return True
        return False

    def _decides(self, node: Node, inputs: tuple[Ref, ...]) -> bool:
        """Follow a condition whose truth is known."""
        self._learn(node, inputs)
        if node.op in ("Switch", "RefSwitch"):
            return self._switches(node, inputs[0], inputs[1])
        if node.op in ("Select", "SelectV2") and inputs[0] in self.truth:
            taken = inputs[1] if self.truth[inputs[0]] else inputs[2]
            self.alias[Ref(node.name)] = taken
            return True
        return False

    def _switches(self, node: Node, data: Ref, condition: Ref) -> bool:
        """Follow a switch, which sends data to output 1 if its condition is true, else to output 0."""
        if condition not in self.truth:
            return False
        taken = int(self.truth[condition])
        self.alias[Ref(node.name, taken)] = data
        self.dead.add(Ref(node.name, 1 - taken))
        return True

    def _learn(self, node: Node, inputs: tuple[Ref, ...]) -> None:
        """Note the truth of a constant, or of what is computed of known conditions."""
        if node.op == "Const" and node.attributes["value"].tensor.dtype == _BOOL:
            value = self.graph.constant(node)
            if value.shape == ():
                self.truth[Ref(node.name)] = bool(value)
        known = [self.truth[ref] for ref in inputs if ref in self.truth]
        if node.op in _LOGIC and inputs and len(known) == len(inputs):
            truth = _LOGIC[node.op](*known)
            self.truth[Ref(node.name)] = bool(truth)


class Cleaned(NamedTuple):
    """A graph with all conditions on the settings resolved.

    Fields:
        alias: what stands for the outputs that are gone.
        dead: the names of the nodes on branches that were not taken.
    """

    graph: Graph
    alias: Mapping[Ref, Ref]
    dead: Collection[str]


def clean(graph: Graph, settings: Settings) -> Cleaned:
    """Resolve all conditions on the settings. **Raises** `CheckpointError` if a node lacks inputs."""
    cleaner = _Cleaner(graph, settings)
    order = places(graph)
    for name in sorted(graph.nodes, key=order.__getitem__):
        node = graph.nodes[name]
        try:
            cleaner.visit(node)
        except IndexError:
            raise CheckpointError(f"{graph.path} is damaged: {name!r} ({node.op}) lacks inputs.") from None
    nodes = _able_to_run(cleaner.nodes)
    return Cleaned(rebuilt(graph, nodes), cleaner.alias, cleaner.dead_nodes)


def _able_to_run(nodes: Mapping[str, Node]) -> list[Node]:
    """Return the nodes that can run: all that they need is there, and needs nothing of them."""
    # A merge that no branch reaches was kept, and a loop reads what comes after it: neither can run.
    kept: dict[str, Node] = {}
    for name, node in nodes.items():
        if all(ref.node in kept for ref in node.inputs):
            kept[name] = node
    return list(kept.values())


def rebuilt(graph: Graph, nodes: Iterable[Node]) -> Graph:
    """Return the graph with these nodes only."""
    by_name = {node.name: node for node in nodes}
    # By name, for a node may read another more than once; a dictionary keeps the order.
    readers: dict[str, dict[str, Node]] = {}
    for node in by_name.values():
        for ref in node.inputs:
            readers.setdefault(ref.node, {})[node.name] = node
    consumers = {name: tuple(found.values()) for name, found in readers.items()}
    return replace(graph, nodes=MappingProxyType(by_name), consumers=MappingProxyType(consumers))


def without_leftovers(graph: Graph, before: Graph) -> Graph:
    """Leave out what something read before and nothing reads now: it would look like an end of the network."""
    left = {name for name in graph.nodes if name in before.consumers and name not in graph.consumers}
    if not left:
        return graph
    kept = (node for node in graph.nodes.values() if node.name not in left)
    return without_leftovers(rebuilt(graph, kept), before)
