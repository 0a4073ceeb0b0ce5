"""`MixedPoolingModule` for NNX; see `attn_core.blocks.mixed_pooling_module`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class MixedPoolingModule(Layer, of=core.MixedPoolingModule):
    """Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    relu(x + conv([short range, long range]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size, also smaller
    than the numbers of bins.

    **Fields**

    - ``channels``: number of channels.
    - ``reduction``: inside there are ``channels // reduction`` channels.
    - ``pools``: the numbers n of bins along each axis of the image.
    - ``kernel``: length of the kernels, along the strips and of K_0, K_n, K_s and K_l, odd.
    - ``rank``: number of spatial axes: 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 4,
        *,
        pools: tuple[int, ...] = (20, 12),
        kernel: int = 3,
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
        block = core.MixedPoolingModule(channels, reduction, pools=pools, kernel=kernel, rank=rank, momentum=momentum)
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
