"""`NonLocal` for Keras; see `attn_core.blocks.non_local`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_core.blocks.non_local import Mode, Scale
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class NonLocal(Layer, of=core.NonLocal):
    """Add to each pixel what it finds at all positions, weighted by how it relates to them.

    x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``. With ``data_format="channels_first"``, channels come second. Only the number of channels
    must be known when the layer is built.

    **Fields**

    - ``hidden``: number of channels of g, theta and phi; half of ``channels`` where None, as in the paper.
    - ``mode``: the function f.
    - ``scale``: the factor s, of the two softmax modes: "none" is 1, "hidden" is hidden :sup:`-1/2`, "channels" is
      channels :sup:`-1/2`.
    - ``subsample``: the positions j are the maxima of phi and g (of x and g in the mode gaussian) over windows side by
      side, of so many pixels along each axis, or along all where it is one number; 1 keeps all positions.
    - ``norm``: whether batch normalisation follows W_z.
    - ``bias``: whether theta, phi, g and W_z have biases.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        hidden: int | None = None,
        *,
        mode: Mode = "embedded_gaussian",
        scale: Scale = "none",
        subsample: int | tuple[int, ...] = 1,
        norm: bool = False,
        bias: bool = True,
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "hidden": hidden,
            "mode": mode,
            "scale": scale,
            "subsample": subsample,
            "norm": norm,
            "bias": bias,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.NonLocal:
        """Return the block for this many channels and spatial axes."""
        return core.NonLocal(channels, rank=rank, **self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x)
