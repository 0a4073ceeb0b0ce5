"""The frameworks that a network can be written for."""

from __future__ import annotations

from attn_core.porting.write.keras import Keras
from attn_core.porting.write.linen import Linen
from attn_core.porting.write.nnx import Nnx
from attn_core.porting.write.torch import Torch
from attn_core.porting.write.writer import Writer

WRITERS: dict[str, type[Writer]] = {"torch": Torch, "keras": Keras, "linen": Linen, "nnx": Nnx}
LAYOUTS = {
    "torch": "Images are (batch, channels, height, width).",
    "keras": "Images are (batch, height, width, channels).",
    "linen": "Images are (batch, height, width, channels).",
    "nnx": "Images are (batch, height, width, channels).",
}
RUNNERS = {
    "torch": "attn_torch.ported",
    "keras": "attn_tf.ported",
    "linen": "attn_jax.linen.ported",
    "nnx": "attn_jax.nnx.ported",
}
