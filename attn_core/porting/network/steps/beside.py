"""Steps beside a node's own: a rule may need more than one for a node."""

from __future__ import annotations

from attn_core.porting.graph.graph import Node


def beside(node: Node, what: str) -> Node:
    """Return a node for a step that has no node of its own."""
    # No node of a graph has a colon in its name.
    return Node(f"{node.name}:{what}", node.op, node.inputs, node.attributes)
