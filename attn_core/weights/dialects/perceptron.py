"""Two layers that are no gate: the perceptron of a transformer or a ConvNeXt has the arrays of an SE block, too."""

from __future__ import annotations

from attn_core.blocks import ChannelAttention, SqueezeExcitation
from attn_core.spec import Block

NAMES = ("mlp", "ffn", "feed_forward", "feedforward")  # what such a layer's name begins with
DOUBT = "its name is that of a perceptron, which has the same arrays: if so, it is no gate"
TWO_LAYERS = (SqueezeExcitation, ChannelAttention)


def is_perceptron(prefix: str, block: Block) -> bool:
    """Say whether two layers widen the channels, or keep their number under a perceptron's name: gates squeeze."""
    if not isinstance(block, TWO_LAYERS):
        return False
    return block.width > block.channels or (block.width == block.channels and is_called_so(prefix))


def is_called_so(prefix: str) -> bool:
    """Say whether a layer has a perceptron's name."""
    name = prefix.replace("/", ".").removesuffix(".").rpartition(".")[2]
    return name.lower().startswith(NAMES)
