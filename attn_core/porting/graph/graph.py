"""Reading the graph of a TensorFlow 1 file: a `.meta`, a frozen `.pb` or a `saved_model.pb`.

TensorFlow itself is not needed: TensorBoard ships the protocol buffers.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from numpy.typing import NDArray
from tensorboard.compat.proto import node_def_pb2

from attn_core.porting.graph.constants import decode
from attn_core.porting.graph.functions import inlined
from attn_core.weights.files.tf1 import protos
from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.opened import File

_LARGEST = 2**31 - 1  # no protocol buffer is larger
_INTEGERS = (3, 9)  # DataType: int32, int64
_MOST_AXES = 16
_SERVING = "serving_default"
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.\\/>-]*")
_OP = re.compile(r"[A-Za-z0-9_.>-]+")


class Ref(NamedTuple):
    """One output of a node."""

    node: str
    output: int = 0


@dataclass(frozen=True)
class Node:
    """An operation of the graph; the nodes that only control when it runs are not among its inputs."""

    name: str
    op: str
    inputs: tuple[Ref, ...]
    attributes: Mapping[str, Any] = field(repr=False, compare=False)
    controls: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class Graph:
    """Nodes by name, in the file's order, and who reads them.

    Fields:
        source: the name of the file, and in a SavedModel the tags of the graph that was chosen.
        functions: the functions that the file keeps outside the graph.
        complete: whether what TensorFlow writes after the nodes is there; if not, the file may be cut short.
        signature: the outputs that a SavedModel's signature names, by their keys.
        momenta: how fast moving averages move in training, where the file says it and no node does.
    """

    path: Path
    source: str
    nodes: Mapping[str, Node] = field(repr=False)
    consumers: Mapping[str, tuple[Node, ...]] = field(repr=False)
    functions: frozenset[str] = frozenset()
    complete: bool = True
    signature: Mapping[str, Ref] = field(default_factory=dict)
    momenta: Mapping[str, float] = field(default_factory=dict)

    def constant(self, node: Node) -> NDArray[Any]:
        """Return the array that a Const node holds."""
        return decode(node.attributes["value"].tensor, f"{self.path}: the constant {node.name!r}")


def read_graph(path: str | Path) -> Graph:
    """Read a graph; what kind of file it is shows in its contents, its name only says what to try first.

    A `CheckpointError` says that the file is damaged or holds no graph, a `FileNotFoundError` that there is none.
    """
    path = Path(path)
    file = File(path)
    if not 0 < file.size <= _LARGEST:
        raise CheckpointError(f"{path} is no TensorFlow graph: it has {file.size} bytes.")
    for reader in sorted((_frozen, _meta, _saved_model), key=lambda r: r is not _expected(path)):
        try:
            source, definition, signatures = reader(file.read(0, file.size, "the graph"), path)
            nodes = [protos.parse(node_def_pb2.NodeDef, node, str(path)) for node in definition.node]
        except CheckpointError:
            continue
        if _plausible(nodes):
            nodes = inlined(nodes, definition.library.function, str(path))
            graph = _graph(path, source, definition, nodes)
            return replace(graph, signature=_signature(graph, signatures))
    raise CheckpointError(
        f"{path} is damaged or no TensorFlow graph: it reads neither as a .meta nor as a frozen graph or SavedModel."
    )


def _expected(path: Path) -> Any:
    return (
        {".meta": _meta, ".pb": _frozen}.get(path.suffix, _saved_model) if path.stem != "saved_model" else _saved_model
    )


def _frozen(data: bytes, path: Path) -> tuple[str, Any, Any]:
    return path.name, protos.parse(protos.Graph, data, str(path)), {}


def _meta(data: bytes, path: Path) -> tuple[str, Any, Any]:
    found = protos.parse(protos.MetaGraph, data, str(path))
    return path.name, found.graph_def, {each.key: each.value for each in found.signature_def}


def _saved_model(data: bytes, path: Path) -> tuple[str, Any, Any]:
    """Choose the graph that is tagged for serving, or else the first."""
    graphs = protos.parse(protos.SavedModel, data, str(path)).meta_graphs
    if not graphs:
        raise CheckpointError(f"{path} is a SavedModel without graphs.")
    chosen = next((g for g in graphs if "serve" in g.meta_info_def.tags), graphs[0])
    tags = ", ".join(chosen.meta_info_def.tags) or "none"
    signatures = {each.key: each.value for each in chosen.signature_def}
    return f"{path.name} (tags: {tags})", chosen.graph_def, signatures


def _signature(graph: Graph, signatures: Mapping[str, Any]) -> dict[str, Ref]:
    """Return the outputs of the signature for serving, or else of the first that names nodes of the graph."""
    for key in sorted(signatures, key=lambda key: key != _SERVING):
        outputs = {
            each.key: _ref(each.value.name, f"the signature {key}", graph.path) for each in signatures[key].outputs
        }
        if outputs and all(ref.node in graph.nodes for ref in outputs.values()):
            return outputs
    return {}


def _plausible(nodes: list[Any]) -> bool:
    """Whether this is a graph at all: the parser takes much foreign data for messages."""
    return bool(nodes) and all(_NAME.fullmatch(node.name) and _OP.fullmatch(node.op) for node in nodes)


def _graph(path: Path, source: str, definition: Any, found: list[Any]) -> Graph:
    nodes = {node.name: _node(node, path) for node in found}
    if len(nodes) != len(found):
        twice = Counter(node.name for node in found).most_common(1)[0][0]
        raise CheckpointError(f"{path} is damaged: it has two nodes of the name {twice!r}.")
    readers: dict[str, dict[str, Node]] = {}
    for node in nodes.values():
        for ref in node.inputs:
            if ref.node not in nodes:
                raise CheckpointError(f"{path} is damaged: {node.name!r} reads {ref.node!r}, which is not in it.")
            readers.setdefault(ref.node, {})[node.name] = node
    consumers = {name: tuple(each.values()) for name, each in readers.items()}
    functions = frozenset(function.signature.name for function in definition.library.function)
    complete = definition.HasField("versions") or definition.HasField("library")
    return Graph(path, source, MappingProxyType(nodes), MappingProxyType(consumers), functions, complete)


def _node(node: Any, path: Path) -> Node:
    if node.op == "Const" and not node.attr["value"].HasField("tensor"):
        raise CheckpointError(f"{path} is damaged: the constant {node.name!r} holds nothing.")
    inputs = tuple(_ref(text, node.name, path) for text in node.input if not text.startswith("^"))
    controls = tuple(text[1:] for text in node.input if text.startswith("^"))
    return Node(node.name, node.op, inputs, node.attr, controls)


def _ref(text: str, reader: str, path: Path) -> Ref:
    """Parse `name` or `name:output`."""
    name, colon, output = text.partition(":")
    if not name or (colon and not (output.isascii() and output.isdigit() and len(output) < 10)):
        raise CheckpointError(f"{path} is damaged: {reader!r} reads {text!r}, which is no output of a node.")
    return Ref(name, int(output or 0))


def integers(graph: Graph, ref: Ref) -> tuple[int | None, ...] | None:
    """Return a small vector that the graph states, with None for entries it computes; None if it computes all."""
    node = graph.nodes[ref.node]
    if node.op == "Identity" and node.inputs:
        node = graph.nodes[node.inputs[0].node]
    if node.op == "Pack":
        entries = [_stated(graph, graph.nodes[each.node]) for each in node.inputs]
        return tuple(entry[0] if entry and len(entry) == 1 else None for entry in entries)
    return _stated(graph, node)


def _stated(graph: Graph, node: Node) -> tuple[int, ...] | None:
    if node.op != "Const" or node.attributes["value"].tensor.dtype not in _INTEGERS:
        return None
    values = graph.constant(node)
    return tuple(int(value) for value in values.flat) if values.size <= _MOST_AXES else None
