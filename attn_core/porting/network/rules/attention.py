"""Attention blocks: their product, found by its structure, is one step."""

from __future__ import annotations

from attn_core.blocks.squeeze_excitation import SqueezeExcitation
from attn_core.porting.find.by_structure import Match
from attn_core.porting.find.kernels import DensePair
from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Leaf, Value


def squeeze_excitation(lifter: Lifter, node: Node, found: Match, path: str) -> Value | None:
    """Lift an SE block that ends in this product; None if it is not exactly one."""
    if found.pool.image not in lifter.values or found.pair.notes:  # notes tell what is not exactly the block's
        return None
    x = lifter.value(found.pool.image)
    if x.rank != 4 or x.axes[found.pool.axis] != 1:
        return None
    return lifter.add(node, "attention", (x,), {"block": _block(found.pair)}, x.axes, _arrays(found.pair), path)


def _block(pair: DensePair) -> SqueezeExcitation:
    channels, hidden = pair.reduce.kernel.sizes
    bias = pair.reduce.bias is not None
    return SqueezeExcitation(channels, hidden=hidden, bias=bias, activation=pair.activation, gate=pair.gate)


def _arrays(pair: DensePair) -> dict[str, Leaf]:
    kernels = {"reduce.weight": pair.reduce.kernel, "expand.weight": pair.expand.kernel}
    leaves = {
        role: Leaf((stored,), kernels[role].canonical if role in kernels else lambda array: array.reshape(-1))
        for role, stored in pair.stored.items()
    }
    return {role: leaves[role] for role in _block(pair).arrays()}
