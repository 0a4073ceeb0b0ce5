"""Moving blocks of pixels into channels, and back."""

from __future__ import annotations

from functools import partial

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.layers import layout
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.lift import Lifter, Rule
from attn_core.porting.network.steps.steps import Value


def _moved(lifter: Lifter, node: Node, kind: str) -> Value:
    axes = layout(node)
    x = lifter.laid(lifter.input(node), axes)
    return lifter.add(node, kind, (x,), {"block": int(attribute(node, "block_size", 1))}, axes)


RULES: dict[str, Rule] = {
    "SpaceToDepth": partial(_moved, kind="space_to_depth"),
    "DepthToSpace": partial(_moved, kind="depth_to_space"),
}
