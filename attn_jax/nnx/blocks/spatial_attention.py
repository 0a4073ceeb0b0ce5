"""`SpatialAttention` for NNX; see `attn_core.blocks.spatial_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class SpatialAttention(Layer, of=core.SpatialAttention):
    """Scale each pixel by a gate that a convolution computes from the channels' mean and maximum around it.

    x * sigmoid(conv([mean of channels, max of channels]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape; any number of channels, any
    size, also smaller than the kernel.

    **Fields**

    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        kernel: int = 7,
        *,
        rank: int = 2,
        bias: bool = False,
        norm: bool = False,
        momentum: float = 0.01,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.SpatialAttention(kernel, rank=rank, bias=bias, norm=norm, momentum=momentum)
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
