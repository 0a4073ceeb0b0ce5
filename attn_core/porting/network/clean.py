"""Cleaning a graph: what is settled outside of training is settled, what passes a value on is gone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

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
    """Walks a graph in the order of its data."""

    graph: Graph
    settings: Settings
    alias: dict[Ref, Ref] = field(default_factory=dict)
    truth: dict[Ref, bool] = field(default_factory=dict)
    dead: set[Ref] = field(default_factory=set)
    nodes: dict[str, Node] = field(default_factory=dict)

    def visit(self, node: Node) -> None:
        """Keep a node, or say what stands for its outputs."""
        inputs = tuple(self.alias.get(ref, ref) for ref in node.inputs)
        if node.op in ("Merge", "RefMerge"):
            alive = [ref for ref in inputs if not self._is_dead(ref)]
            if len(alive) == 1:
                self.alias[Ref(node.name)] = alive[0]
                return
        elif any(self._is_dead(ref) for ref in (*inputs, *map(Ref, node.controls))):
            self.dead.add(Ref(node.name, -1))
            return
        if node.name in self.settings:
            self._set(node)
            inputs = ()
        elif node.op in _PASS or node.op == "PlaceholderWithDefault":
            self.alias[Ref(node.name)] = inputs[0]
            return
        elif node.op == "IdentityN":
            self.alias.update({Ref(node.name, k): ref for k, ref in enumerate(inputs)})
            return
        elif self._decided(node, inputs):
            return
        self.nodes[node.name] = replace(node, inputs=inputs)

    def _is_dead(self, ref: Ref) -> bool:
        return ref in self.dead or Ref(ref.node, -1) in self.dead

    def _set(self, node: Node) -> None:
        value = self.settings[node.name]
        if value.dtype == bool:
            self.truth[Ref(node.name)] = bool(value)

    def _decided(self, node: Node, inputs: tuple[Ref, ...]) -> bool:
        """Follow a condition whose truth is known."""
        if node.op == "Const" and node.attributes["value"].tensor.dtype == _BOOL:
            value = self.graph.constant(node)
            if value.shape == ():
                self.truth[Ref(node.name)] = bool(value)
        known = [self.truth[ref] for ref in inputs if ref in self.truth]
        if node.op in _LOGIC and inputs and len(known) == len(inputs):
            self.truth[Ref(node.name)] = bool(_LOGIC[node.op](*known))
        if node.op in ("Switch", "RefSwitch") and inputs[1] in self.truth:
            taken = int(self.truth[inputs[1]])
            self.alias[Ref(node.name, taken)] = inputs[0]
            self.dead.add(Ref(node.name, 1 - taken))
            return True
        if node.op in ("Select", "SelectV2") and inputs[0] in self.truth:
            self.alias[Ref(node.name)] = inputs[1 if self.truth[inputs[0]] else 2]
            return True
        return False


def clean(graph: Graph, settings: Settings) -> tuple[Graph, Mapping[Ref, Ref]]:
    """Return the graph with all conditions on the settings resolved, and what stands for the outputs that are gone."""
    cleaner = _Cleaner(graph, settings)
    order = places(graph)
    for name in sorted(graph.nodes, key=order.__getitem__):
        try:
            cleaner.visit(graph.nodes[name])
        except IndexError:
            op = graph.nodes[name].op
            raise CheckpointError(f"{graph.path} is damaged: {name!r} ({op}) lacks inputs.") from None
    return rebuilt(graph, _whole(cleaner.nodes)), cleaner.alias


def _whole(nodes: Mapping[str, Node]) -> list[Node]:
    """Return the nodes that can run: all that they need is there, and needs nothing of them."""
    kept: dict[str, Node] = {}
    for name, node in nodes.items():
        if all(ref.node in kept for ref in node.inputs):
            kept[name] = node
    return list(kept.values())


def rebuilt(graph: Graph, nodes: Iterable[Node]) -> Graph:
    """Return the graph with these nodes only."""
    found = {node.name: node for node in nodes}
    readers: dict[str, dict[str, Node]] = {}
    for node in found.values():
        for ref in node.inputs:
            readers.setdefault(ref.node, {})[node.name] = node
    consumers = {name: tuple(each.values()) for name, each in readers.items()}
    return Graph(
        graph.path, graph.source, MappingProxyType(found), MappingProxyType(consumers), graph.functions, graph.complete
    )
