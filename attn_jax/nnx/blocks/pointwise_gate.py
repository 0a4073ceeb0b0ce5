"""`PointwiseGate` for NNX; see `attn_core.blocks.pointwise_gate`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class PointwiseGate(Layer, of=core.PointwiseGate):
    """Scale every number of an image by a gate that a pointwise convolution computes from its pixel.

    x * sigmoid(W x + b), at each pixel

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``shared``: whether all channels of a pixel share one gate: the spatial half of scSE, called sSE.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        *,
        rank: int = 2,
        bias: bool = True,
        shared: bool = False,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.PointwiseGate(channels, rank=rank, bias=bias, shared=shared)
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
