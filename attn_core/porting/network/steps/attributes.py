"""The attributes of a node as Python values."""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node


def attribute(node: Node, name: str, default: Any) -> Any:
    """Return an attribute; the default where the file leaves it out, as TensorFlow may do with what is a default."""
    if name not in node.attributes:
        return default
    value = node.attributes[name]
    kind = value.WhichOneof("value")
    if kind is None:  # looked for before, which leaves it there empty
        return default
    if kind == "list":
        return tuple(value.list.i)
    found = getattr(value, kind)
    return found.decode() if isinstance(found, bytes) else found
