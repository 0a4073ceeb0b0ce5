"""What is fed into a graph beside the image: training flags, dropout rates."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Node
from attn_core.porting.graph.reads import FLOATS

_BOOL = 10  # DataType
_KEPT = {"keep": 1.0, "drop": 0.0, "rate": 0.0}  # by what a name holds, the first that fits

Settings = dict[str, NDArray[np.generic]]


def settings(graph: Graph, given: Mapping[str, float | bool]) -> tuple[Settings, list[str]]:
    """Return the values outside of training by the placeholders' names, and sentences on what was decided."""
    values: Settings = {}
    decisions = []
    for node in graph.nodes.values():
        is_given = node.name in given
        value = given[node.name] if is_given else _outside_of_training(node)
        if value is None:
            continue
        dtype = np.bool_ if isinstance(value, bool) else np.float32
        values[node.name] = np.asarray(value, dtype)
        reason = "as given" if is_given else "as outside of training"
        decisions.append(f"{node.name} = {value}, {reason}")
    return values, decisions


def _outside_of_training(node: Node) -> float | bool | None:
    """Return what a flag or rate is when a network is used; None for a placeholder that is something else."""
    if node.op not in ("Placeholder", "PlaceholderWithDefault") or not _may_be_scalar(node):
        return None
    kind = node.attributes["dtype"].type
    if kind == _BOOL:
        return False
    # A number with a default keeps it, as in a run that feeds nothing but images.
    if kind not in FLOATS or node.op != "Placeholder":
        return None
    name = node.name.lower()
    for part, value in _KEPT.items():
        if part in name:
            return value
    return None


def _may_be_scalar(node: Node) -> bool:
    shape = node.attributes["shape"].shape
    return shape.unknown_rank or not shape.dim
