"""`CBAM` for NNX; see `attn_core.blocks.cbam`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.channel_attention import Pools
from attn_jax.nnx.layer import Layer


class CBAM(Layer, of=core.CBAM):
    """Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    x' * M_s(x') with x' = x * M_c(x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``, ``reduction``, ``hidden``, ``bias``, ``pools``: those of `ChannelAttention`.
    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.
    - ``kernel``, ``rank``, ``norm``, ``momentum``: those of `SpatialAttention`; ``spatial_bias`` is its ``bias``.
    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        kernel: int = 7,
        *,
        hidden: int | None = None,
        bias: bool = False,
        pools: Pools = "both",
        rank: int = 2,
        spatial_bias: bool = False,
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
        block = core.CBAM(
            channels,
            reduction,
            kernel,
            hidden=hidden,
            bias=bias,
            pools=pools,
            rank=rank,
            spatial_bias=spatial_bias,
            norm=norm,
            momentum=momentum,
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
