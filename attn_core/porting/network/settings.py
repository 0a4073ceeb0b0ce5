"""What is fed into a graph beside the image: training flags, dropout rates."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from attn_core.porting.graph.graph import Graph, Node

_FLOATS, _BOOL = (1, 2, 14, 19), 10  # DataType
_KEPT = {"keep": 1.0, "drop": 0.0, "rate": 0.0}  # by what a name holds, the first that fits

Settings = dict[str, NDArray[np.generic]]


def settings(graph: Graph, given: Mapping[str, float | bool]) -> tuple[Settings, list[str]]:
    """Return the values outside of training by the placeholders' names, and sentences on what was decided."""
    values: Settings = {}
    decisions = []
    for node in graph.nodes.values():
        value = given[node.name] if node.name in given else _outside_of_training(node)
        if value is not None:
            values[node.name] = np.asarray(value, np.bool_ if isinstance(value, bool) else np.float32)
            reason = "as given" if node.name in given else "as outside of training"
            decisions.append(f"{node.name} = {value}, {reason}")
    return values, decisions


def _outside_of_training(node: Node) -> float | bool | None:
    if node.op not in ("Placeholder", "PlaceholderWithDefault") or not _may_be_scalar(node):
        return None
    kind = node.attributes["dtype"].type
    if kind == _BOOL:
        return False
    if kind in _FLOATS and node.op == "Placeholder":
        name = node.name.lower()
        return next((value for part, value in _KEPT.items() if part in name), None)
    return None


def _may_be_scalar(node: Node) -> bool:
    proto = node.attributes["shape"].shape
    return proto.unknown_rank or not proto.dim
