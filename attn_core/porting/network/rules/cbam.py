"""The halves of CBAM, found among steps: products with a gate that is computed of the same image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attn_core.blocks.cbam import CBAM
from attn_core.blocks.channel_attention import ChannelAttention
from attn_core.blocks.spatial_attention import SpatialAttention
from attn_core.porting.find.naming import own_scope
from attn_core.porting.graph.graph import Node
from attn_core.porting.network.rules.channel_gate import channel_gate
from attn_core.porting.network.rules.gates import below
from attn_core.porting.network.rules.spatial_gate import spatial_gate
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Leaf, Value
from attn_core.spec import Block

# The image is read by its two reductions over channels and by the product.
_READERS_OF_SPATIAL = 3


class _Channel(NamedTuple):
    """Channel attention that was lifted before."""

    source: str
    block: ChannelAttention
    arrays: Mapping[str, Leaf]


def gated(lifter: Lifter, node: Node, x: Value, gate: Value) -> Value | None:
    """Lift x times its gate if that is channel attention, spatial attention, or the end of both; else None."""
    logits = below(lifter, gate.step, "sigmoid")
    if not lifter.is_image(x.rank) or logits is None:
        return None
    if (channel := channel_gate(lifter, logits, x)) is not None:
        return _attention(lifter, node, x, channel.block, channel.arrays)
    if (spatial := spatial_gate(lifter, logits, x)) is None:
        return None
    whole = _both(lifter, node, x, spatial.block, spatial.arrays)
    return whole or _attention(lifter, node, x, spatial.block, spatial.arrays)


def _attention(lifter: Lifter, node: Node, x: Value, block: Block, arrays: Mapping[str, Leaf]) -> Value:
    names = [name for leaf in arrays.values() for name in leaf.names]
    # Weights that a block does not have for itself leave it the scope of its first layer.
    path = own_scope(names, lifter.weights) or names[0].rpartition("/")[0]
    return lifter.add(node, "attention", (x,), {"block": block}, x.axes, arrays, path)


def _both(lifter: Lifter, node: Node, x: Value, spatial: SpatialAttention, arrays: Mapping[str, Leaf]) -> Value | None:
    """Lift spatial attention that follows channel attention and alone reads it: CBAM."""
    before = _channel_attention_before(lifter, x)
    if before is None:
        return None
    channel = before.block
    block = CBAM(
        channel.channels,
        kernel=spatial.kernel,
        hidden=channel.hidden,
        bias=channel.bias,
        spatial_bias=spatial.bias,
    )
    of_channel = {f"channel.{name}": leaf for name, leaf in before.arrays.items()}
    of_spatial = {f"spatial.{name}": leaf for name, leaf in arrays.items()}
    return _attention(lifter, node, Value(before.source, x.axes), block, of_channel | of_spatial)


def _channel_attention_before(lifter: Lifter, x: Value) -> _Channel | None:
    step = lifter.steps.get(x.step)
    if step is None or step.kind != "attention" or lifter.readers(step) != _READERS_OF_SPATIAL:
        return None
    block = step.fields["block"]
    return _Channel(step.inputs[0], block, step.arrays) if isinstance(block, ChannelAttention) else None
