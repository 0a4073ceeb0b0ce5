"""The frameworks that a network can be written for."""

from __future__ import annotations

from attn_core.porting.write.keras import Keras
from attn_core.porting.write.linen import Linen
from attn_core.porting.write.nnx import Nnx
from attn_core.porting.write.torch import Torch
from attn_core.porting.write.writer import Writer

WRITERS: dict[str, type[Writer]] = {"torch": Torch, "keras": Keras, "linen": Linen, "nnx": Nnx}
_KINDS = {3: ("Signals", "length"), 4: ("Images", "height, width"), 5: ("Volumes", "depth, height, width")}
RUNNERS = {
    "torch": "attn_torch.ported",
    "keras": "attn_tf.ported",
    "linen": "attn_jax.linen.ported",
    "nnx": "attn_jax.nnx.ported",
}


def layout_of(target: str, rank: int) -> str:
    """Return a sentence on the axes of what a network of a framework takes."""
    kind, space = _KINDS.get(rank, _KINDS[4])
    axes = f"channels, {space}" if target == "torch" else f"{space}, channels"
    return f"{kind} are (batch, {axes})."
