"""`GlobalPooling` for NNX; see `attn_core.blocks.global_pooling`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.nnx.layer import Layer


class GlobalPooling(Layer, of=core.GlobalPooling):
    """Reduce each channel to its mean over all pixels, or its maximum, or first all means, then all maxima.

    [mean(x), max(x)]

    **Shape**: image (batch, *space, channels), of any number of spatial axes from one and any size, to
    (batch, channels), or (batch, 2 channels) with both.

    **Fields**

    - ``pools``: "mean", "max" or "both".
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        pools: Pools = "both",
        *,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.GlobalPooling(pools)
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
