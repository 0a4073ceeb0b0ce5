"""`CoordinateAttention` for Linen; see `attn_core.blocks.coordinate_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.coordinate_attention import Joined
from attn_core.spec.primitives import Activation
from attn_jax.linen.layer import Layer


class CoordinateAttention(Layer, of=core.CoordinateAttention):
    """Scale an image by a gate for each row and one for each column, computed from the means along the others.

    x * sigmoid(F_h f_h) * sigmoid(F_w f_w), with f = delta(norm(F_1 [z_h, z_w]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``reduction``: there are ``channels // reduction`` hidden units (the paper's r, 32 if left out), but 8 at least.
    - ``hidden``: number of hidden units, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether the convolutions, all of one pixel, have biases.
    - ``norm``: whether the hidden units are normalised over the batch, and ``momentum`` of that (PyTorch's).
    - ``activation``: the paper's delta: "hard_swish", "relu", "silu", "gelu" or "leaky_relu".
    - ``joined``: the gate of a pixel is the "product" of sigmoids, or the sigmoid of the "sum" of what they are of.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = True
    norm: bool = True
    momentum: float = 0.1
    activation: Activation = "hard_swish"
    joined: Joined = "product"

    def configure(self, channels: int, rank: int) -> core.CoordinateAttention:
        """Return the block for this many channels and spatial axes."""
        return core.CoordinateAttention(
            channels,
            self.reduction,
            hidden=self.hidden,
            bias=self.bias,
            rank=rank,
            norm=self.norm,
            momentum=self.momentum,
            activation=self.activation,
            joined=self.joined,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
