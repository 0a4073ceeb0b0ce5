"""`AttentionGate` for Keras; see `attn_core.blocks.attention_gate`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class AttentionGate(Layer, of=core.AttentionGate):
    """Scale each pixel of the features by a gate computed from it and from the same pixel of a gating signal.

    x * sigmoid(norm(psi relu(norm(W_x x) + norm(W_g g))))

    **Shape**: image x (batch, *space, channels) and image g (batch, *space, gating), both of ``rank`` spatial axes and
    of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated. With a ``grid``,
    g may have any size, and x at least ``grid`` pixels along each axis. With ``data_format="channels_first"``, channels
    come second. Only the number of channels must be known when the layer is built.

    **Fields**

    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``grid``: how many pixels of x along each axis have one gate, which is interpolated between (the authors'
      ``sub_sample_factor``); None for gates that are each computed.
    - ``align_corners``: whether interpolation, with a ``grid``, aligns the outermost pixels' centres or their edges.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        gating: int,
        hidden: int | None = None,
        *,
        momentum: float = 0.1,
        grid: int | None = None,
        align_corners: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "gating": gating,
            "hidden": hidden,
            "momentum": momentum,
            "grid": grid,
            "align_corners": align_corners,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.AttentionGate:
        """Return the block for this many channels and spatial axes."""
        return core.AttentionGate(channels, rank=rank, **self.options)

    def call(self, x: Any, signal: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x, signal)
