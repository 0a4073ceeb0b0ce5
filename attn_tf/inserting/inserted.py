"""`Inserted` for Keras; see `attn_core.models.inserting.inserted`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from attn_core.models.inserting import inserted as core
from attn_core.models.registry import KNOWN
from attn_core.models.stage import Stage
from attn_core.spec import Block
from attn_tf.binding import variables
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class Inserted(Layer, of=core.Inserted):
    """Move an image towards what a block makes of it, by a learned strength for each channel.

    x + a (block(x) / c - x); see `attn_core.models.inserting.inserted.Inserted`. A strength of None stands for the
    block alone. `block` is one of `attn_core`, or its class and fields, as files hold them.
    """

    def __init__(
        self,
        block: Block | Mapping[str, Any],
        channels: int | None = None,
        *,
        strength: float | None = 0.0,
        share: float = 1.0,
        level: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.given = block if isinstance(block, Block) else KNOWN[block["block"]](**block["config"])
        options = {"strength": strength, "share": share, "level": level}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> Block:
        """Return the block for this many channels."""
        if self.options["strength"] is None:
            return Stage((self.given,))
        return core.Inserted(self.given, channels, **self.options)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the parts; last layers start at 0 where the identity asks for it."""
        super().build(input_shape)
        if isinstance(self.block, core.Inserted):
            held = variables(self)
            for name in self.block.zeros():
                held[name].assign(keras.ops.zeros_like(held[name].value))

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, unless its block is from elsewhere."""
        name = type(self.given).__name__
        if KNOWN.get(name) is not type(self.given):
            raise NotImplementedError(f"{self.given!r} has no class in attn_core: Keras can save its weights only.")
        own = {"data_format": self.data_format, "synchronized": self.synchronized}
        base = keras.layers.Layer.get_config(self)
        return {**base, **self.options, **own, "block": {"block": name, "config": self.given.config()}}
