"""Finding the squeeze-and-excitation blocks of a TensorFlow 1 network in its files, without TensorFlow."""

import os
from pathlib import Path
from typing import Any

from attn_core.porting.find.assemble import Constants, Variables, assemble
from attn_core.porting.find.by_name import pairs as pairs_by_names
from attn_core.porting.find.by_structure import match
from attn_core.porting.find.found import Findings
from attn_core.porting.find.variables import Catalogue, catalogue
from attn_core.porting.graph.graph import Graph, read_graph
from attn_core.porting.graph.order import natural
from attn_core.porting.graph.reads import FLOATS, whole_name
from attn_core.weights.files.tf1.checkpoint import Checkpoint
from attn_core.weights.files.tf1.errors import CheckpointError
from attn_core.weights.files.tf1.locate import Location, locate

_CALLS = frozenset(
    {"PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile"}
)


def find_blocks(path: str | os.PathLike[str], *, averages: bool = True) -> Findings:
    """Find every SE block of a network, and without a graph CBAM, too; see `porting.find_blocks`."""
    path = Path(path)
    if path.name == "saved_model.pb":
        path = path.parent
    if path.suffix == ".pb" and not path.is_dir():
        return _in_constants(path, "frozen graph")
    if (path / "saved_model.pb").is_file() and not (path / "variables").is_dir():
        return _in_constants(path / "saved_model.pb", "SavedModel without variables,")
    return _in_checkpoint(Checkpoint(locate(path)), averages)


def _in_constants(path: Path, kind: str) -> Findings:
    """Find the blocks of a graph that holds its weights itself."""
    graph = read_graph(path)
    matches, doubts = match(graph)
    constants = (node for node in graph.nodes.values() if node.op == "Const")
    others = {whole_name(node.name) for node in constants if _is_weight(node.attributes["value"].tensor)}
    blocks, absent = assemble([each.pair for each in matches], others, Constants(graph))
    return Findings(blocks, f"{kind} {graph.source}", (*doubts, *absent), _remarks(graph))


def _is_weight(tensor: Any) -> bool:
    return tensor.dtype in FLOATS and bool(tensor.tensor_shape.dim)


def _in_checkpoint(checkpoint: Checkpoint, averages: bool) -> Findings:
    known = catalogue({name: checkpoint.shape(name) for name in checkpoint})
    reader = Variables(checkpoint, known, averages)
    kind = "SavedModel" if checkpoint.location.saved_model else "checkpoint"
    notes = _left_aside(known)
    graph = _graph_of(checkpoint.location)
    if graph is None:
        return _by_names(known, reader, kind, notes)
    matches, doubts = match(graph)
    notes = (*_remarks(graph), *notes)
    if not matches and not doubts and _has_functions(graph):
        return _by_names(known, reader, kind, (*notes, "as the graph shows no block, names and shapes were used"))
    blocks, absent = assemble([each.pair for each in matches], known.weights.keys(), reader)
    return Findings(blocks, f"{kind} with graph {graph.source}", (*doubts, *absent), notes)


def _left_aside(known: Catalogue) -> tuple[str, ...]:
    """Tell of optimizer slots and counters by the last part of their names: large networks have hundreds."""
    kinds = sorted({name.rpartition("/")[2] for name in known.aside}, key=natural)
    return (f"left aside as optimizer slots and counters: {len(known.aside)} ({', '.join(kinds)})",) if kinds else ()


def _by_names(known: Catalogue, reader: Variables, kind: str, notes: tuple[str, ...]) -> Findings:
    pairs, doubts, rest = pairs_by_names(known.weights)
    blocks, absent = assemble(pairs, known.weights.keys(), reader)
    left = (f"left over, paired with nothing: {', '.join(rest)}",) if rest else ()
    return Findings(blocks, f"{kind}, names and shapes only", (*doubts, *absent), (*notes, *left))


def _graph_of(location: Location) -> Graph | None:
    """Read the graph beside a checkpoint; one that cannot be read is no reason to guess."""
    path = location.saved_model or location.meta
    if path is None:
        return None
    try:
        return read_graph(path)
    except CheckpointError as error:
        raise CheckpointError(f"{error} Remove or rename it to search the checkpoint by names.") from None


def _has_functions(graph: Graph) -> bool:
    """Whether the graph calls functions of its own, other than the swish of early TensorFlow."""
    calls = _CALLS | {name for name in graph.functions if not name.startswith("swish_")}
    return bool(graph.functions) and any(node.op in calls for node in graph.nodes.values())


def _remarks(graph: Graph) -> tuple[str, ...]:
    cut = f"{graph.source} ends after its nodes, where TensorFlow writes versions or a library: it may be cut short"
    functions = f"{graph.source} keeps a part of its network in functions, which are not searched"
    return (*(() if graph.complete else (cut,)), *((functions,) if _has_functions(graph) else ()))
