"""`PointwiseSpatialAttention` for NNX; see `attn_core.blocks.pointwise_spatial_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.pointwise_spatial_attention import Mode
from attn_jax.nnx.layer import Layer


class PointwiseSpatialAttention(Layer, of=core.PointwiseSpatialAttention):
    """Append to each pixel what it collects from all positions, and what all positions distribute to it.

    [x, relu(norm(W [collected, distributed]))]

    **Shape**: image (batch, *size, channels) to (batch, *size, 2 channels); the maps fit images of this size only.

    **Fields**

    - ``channels``: number of channels (the paper's C_1).
    - ``size``: the image's number of pixels along each axis, or along all where it is one number (the paper's H, W).
    - ``hidden``: number of channels of x (the paper's C_2); a quarter of ``channels`` where None, as in the authors'
      code.
    - ``mode``: the branches: "both", "collect" or "distribute".
    - ``softmax``: whether the attentions that a position i gives to all j are those of a softmax over j, in place of
      the division by N.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        size: int | tuple[int, ...],
        *,
        hidden: int | None = None,
        mode: Mode = "both",
        softmax: bool = False,
        rank: int = 2,
        momentum: float = 0.1,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.PointwiseSpatialAttention(
            channels, size, hidden=hidden, mode=mode, softmax=softmax, rank=rank, momentum=momentum
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
