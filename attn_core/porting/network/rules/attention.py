"""Squeeze-and-excitation blocks: their product, found by its structure, is one step."""

from __future__ import annotations

from attn_core.blocks.squeeze_excitation import SqueezeExcitation
from attn_core.porting.find.by_structure import Match
from attn_core.porting.find.kernels import DensePair
from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.axes import CHANNELS
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Leaf, Turn, Value, flat


def squeeze_excitation(lifter: Lifter, node: Node, found: Match, path: str) -> Value | None:
    """Lift an SE block that ends in this product; None if it is not exactly one."""
    pair, pool = found.pair, found.pool
    # Notes tell what is not exactly the block's.
    if pool.image not in lifter.values or pair.notes:
        return None
    x = lifter.value(pool.image)
    if not lifter.is_image(x.rank) or x.axes[pool.axis] != CHANNELS:
        return None
    block = _block(pair)
    leaves = _leaves(pair)
    arrays = {role: leaves[role] for role in block.arrays()}
    return lifter.add(node, "attention", (x,), {"block": block}, x.axes, arrays, path)


def _block(pair: DensePair) -> SqueezeExcitation:
    channels, hidden = pair.reduce.kernel.sizes
    bias = pair.reduce.bias is not None
    return SqueezeExcitation(channels, hidden=hidden, bias=bias, activation=pair.activation, gate=pair.gate)


def _leaves(pair: DensePair) -> dict[str, Leaf]:
    # Kernels may be those of dense layers or of 1x1 convolutions, which they know themselves.
    turns: dict[str, Turn] = {
        "reduce.weight": pair.reduce.kernel.canonical,
        "expand.weight": pair.expand.kernel.canonical,
    }
    return {role: Leaf((stored,), turns.get(role, flat)) for role, stored in pair.stored.items()}
