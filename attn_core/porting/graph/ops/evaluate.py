"""Running a graph in NumPy: what it computes, without TensorFlow."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

import numpy as np

from attn_core.porting.graph.graph import Graph, Node, Ref
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops import DEAD, OPS
from attn_core.porting.graph.ops.flow import MERGES, SWITCHES
from attn_core.weights.files.tf1.errors import CheckpointError, UnknownOpError

Watch = Callable[[Ref, Array], None]

_FED = ("Placeholder", "PlaceholderV2", "Variable", "VariableV2", "VarHandleOp")
_FAILURES = (ValueError, IndexError, TypeError, ArithmeticError, MemoryError)


def evaluate(
    graph: Graph, feeds: Mapping[Ref, Array], outputs: Sequence[Ref], *, watch: Watch | None = None
) -> dict[Ref, Array]:
    """Compute outputs from what is fed; only what they need is computed, and kept until it is read for the last time.

    Feed placeholders, and variables on their node or on the node that reads them. The types of what is fed decide how
    precise the run is. ``watch`` sees each array that an operation gives, in the order of computation.

    **Raises** `UnknownOpError`: an operation that is needed is not known. `CheckpointError`: the graph cannot be run;
    the message names the node.
    """
    order = _order(graph, feeds, outputs)
    readers = Counter(ref for node in order for ref in node.inputs) + Counter(outputs)
    values: dict[Ref, Array] = {}
    dead: set[str] = set()
    for node in order:
        _bring(feeds, node.inputs, values)
        computed = _computed(graph, node, values, dead)
        _keep(computed, feeds, readers, values, watch if node.op != "Const" else None)
        for ref in node.inputs:
            readers[ref] -= 1
            if not readers[ref]:
                values.pop(ref, None)
    _bring(feeds, outputs, values)
    return {ref: _wanted(graph, ref, values, dead) for ref in outputs}


def _bring(feeds: Mapping[Ref, Array], refs: Iterable[Ref], values: dict[Ref, Array]) -> None:
    """Take what is fed once it is read: weights may come from a file one by one."""
    values.update((ref, np.asarray(feeds[ref])) for ref in refs if ref in feeds and ref not in values)


def _keep(
    computed: Iterable[tuple[Ref, Array]],
    feeds: Container[Ref],
    readers: Mapping[Ref, int],
    values: dict[Ref, Array],
    watch: Watch | None,
) -> None:
    """Keep what will be read; what is fed stands in place of what is computed."""
    for ref, value in computed:
        if watch and value is not DEAD:
            watch(ref, value)
        if readers[ref] and ref not in feeds:
            values[ref] = value


def needed(graph: Graph, ends: Iterable[str]) -> set[str]:
    """Return the names of all nodes that a run up to these may compute, whatever is fed."""
    found: set[str] = set()
    waiting = [graph.nodes[name] for name in ends]
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found.add(node.name)
            waiting.extend(_needs(graph, node, {}))
    return found


def _order(graph: Graph, feeds: Mapping[Ref, Array], outputs: Sequence[Ref]) -> list[Node]:
    """Return the nodes to compute, each after those it needs."""
    order, state = [], dict[str, bool]()  # whether a node is done; before that, it is on the way
    stack = [_node(graph, ref) for ref in reversed(outputs) if ref not in feeds]
    while stack:
        node = stack[-1]
        if node.name in state:
            stack.pop()
            if not state[node.name]:
                state[node.name] = True
                order.append(node)
            continue
        state[node.name] = False
        for need in reversed(list(_needs(graph, node, feeds))):
            if state.get(need.name) is False:
                raise CheckpointError(f"{graph.path}: {need.name!r} ({need.op}) is part of a loop; loops are not run.")
            if need.name not in state:
                stack.append(need)
    return order


def _needs(graph: Graph, node: Node, feeds: Mapping[Ref, Array]) -> Iterator[Node]:
    """Yield the nodes that this one reads, and the switches that say whether it runs at all."""
    yield from (_node(graph, ref) for ref in node.inputs if ref not in feeds)
    yield from (graph.nodes[ref.node] for ref in _branches(graph, node) if ref not in feeds)


def _branches(graph: Graph, node: Node) -> Iterator[Ref]:
    """Yield the branches whose switches control this node: a constant in a branch reads nothing of it."""
    for name in node.controls:
        pivot = graph.nodes.get(name)
        if pivot and pivot.op == "Identity" and any(graph.nodes[ref.node].op in SWITCHES for ref in pivot.inputs):
            yield Ref(name)


def _node(graph: Graph, ref: Ref) -> Node:
    if ref.node not in graph.nodes:
        raise CheckpointError(f"{graph.path} has no node {ref.node!r}.")
    return graph.nodes[ref.node]


def _computed(graph: Graph, node: Node, values: Mapping[Ref, Array], dead: set[str]) -> Iterator[tuple[Ref, Array]]:
    """Yield the outputs of a node; of one in a branch that is not taken, none."""
    inputs = tuple(_value(graph, ref, values, dead) for ref in node.inputs)
    merges = node.op in MERGES
    if not merges and (any(x is DEAD for x in inputs) or any(ref.node in dead for ref in _branches(graph, node))):
        dead.add(node.name)
        return
    results = _run(graph, node, inputs)
    for i, result in enumerate(results if isinstance(results, tuple) else (results,)):
        yield Ref(node.name, i), np.asarray(result)


def _run(graph: Graph, node: Node, inputs: tuple[Array, ...]) -> Array | tuple[Array, ...]:
    if node.op == "Const":
        return graph.constant(node)
    if node.op in _FED:
        raise CheckpointError(f"{graph.path}: {node.name!r} ({node.op}) holds no value itself and was not fed.")
    if node.op not in OPS:
        raise UnknownOpError(_unknown(graph, node))
    try:
        with np.errstate(all="ignore"):
            return OPS[node.op](node, inputs)
    except _FAILURES as error:
        shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in inputs) or "nothing"
        reason = "these are not its inputs" if isinstance(error, TypeError) else " ".join(str(error).split())
        where = f"{graph.path}: {node.name!r} ({node.op})"
        raise CheckpointError(f"{where} fails on {shapes}: {reason.rstrip('.')}.") from error


def _value(graph: Graph, ref: Ref, values: Mapping[Ref, Array], dead: set[str]) -> Array:
    if ref in values:
        return values[ref]
    if ref.node in dead:
        return DEAD
    raise CheckpointError(f"{graph.path}: {ref.node!r} ({graph.nodes[ref.node].op}) has no output {ref.output}.")


def _wanted(graph: Graph, ref: Ref, values: Mapping[Ref, Array], dead: set[str]) -> Array:
    value = _value(graph, ref, values, dead)
    if value is DEAD:
        raise CheckpointError(f"{graph.path}: {ref.node!r} is in a branch of a condition that is not taken.")
    return value


def _unknown(graph: Graph, node: Node) -> str:
    fed = _listed(graph.nodes[ref.node] for ref in node.inputs)
    read = _listed(graph.consumers.get(node.name, ()))
    return (
        f"{graph.path}: the operation {node.op} of the node {node.name!r} is not known here. "
        f"It reads {fed}; it is read by {read}."
    )


def _listed(nodes: Iterable[Node]) -> str:
    """Name a few nodes."""
    names = [f"{node.name!r} ({node.op})" for node in nodes]
    return ", ".join(names[:3]) + " and others" * (len(names) > 3) or "nothing"
