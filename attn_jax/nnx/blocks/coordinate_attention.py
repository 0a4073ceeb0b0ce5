"""`CoordinateAttention` for NNX; see `attn_core.blocks.coordinate_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.coordinate_attention import Joined
from attn_core.spec.primitives import Activation
from attn_jax.nnx.layer import Layer


class CoordinateAttention(Layer, of=core.CoordinateAttention):
    """Scale an image by a gate for each row and one for each column, computed from the means along the others.

    x * sigmoid(F_h f_h) * sigmoid(F_w f_w), with f = delta(norm(F_1 [z_h, z_w]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units (the paper's r, 32 if left out), but 8 at least.
    - ``hidden``: number of hidden units, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether the convolutions, all of one pixel, have biases.
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each axis, from the means over all others.
    - ``norm``: whether the hidden units are normalised over the batch, and ``momentum`` of that (PyTorch's).
    - ``activation``: the paper's delta: "hard_swish", "relu", "silu", "gelu" or "leaky_relu".
    - ``joined``: the gate of a pixel is the "product" of sigmoids, or the sigmoid of the "sum" of what they are of.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        rank: int = 2,
        norm: bool = True,
        momentum: float = 0.1,
        activation: Activation = "hard_swish",
        joined: Joined = "product",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.CoordinateAttention(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            rank=rank,
            norm=norm,
            momentum=momentum,
            activation=activation,
            joined=joined,
        )
        super().__init__(
            block,
            dtype=dtype,
            param_dtype=param_dtype,
            axis_name=axis_name,
            kernel_init=kernel_init,
            bias_init=bias_init,
            precision=precision,
            promote_dtype=promote_dtype,
            rngs=rngs,
        )

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
