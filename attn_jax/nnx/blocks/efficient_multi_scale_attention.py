"""`EfficientMultiScaleAttention` for NNX; see `attn_core.blocks.efficient_multi_scale_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class EfficientMultiScaleAttention(Layer, of=core.EfficientMultiScaleAttention):
    """Scale each group of channels by a map in which a pointwise and a 3x3 branch weigh each other's channels: EMA.

    x * sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), for each group of channels, with a = norm(x * sigmoid(row
    means) * sigmoid(column means)) and b = conv(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), a multiple of ``groups``.
    - ``groups``: number of groups (the paper's G, the authors' ``factor``); None becomes, when the block is made, the
      largest number up to 32 that divides the channels and leaves two of them or more in a group.
    - ``rank``: number of spatial axes: 1, 2 or 3; there are means along each of them.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        groups: int | None = None,
        *,
        rank: int = 2,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.EfficientMultiScaleAttention(channels, groups, rank=rank)
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
