"""`GlobalContext` for NNX; see `attn_core.blocks.global_context`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.global_context import Fusion, Pool
from attn_jax.nnx.layer import Layer


class GlobalContext(Layer, of=core.GlobalContext):
    """Add to each pixel, or scale its channels by, what two layers make of one weighted mean of all pixels.

    x + W2 relu(norm(W1 (sum over j of softmax(W_k x)_j x_j)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: each t has ``channels // reduction`` hidden units (the paper's r); left out, it is 16 or, of fewer
      channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether the dense layers have biases; that of W_k has no effect, but is in other people's weights.
    - ``pool``: how c is made: with "attention", or as the plain "mean".
    - ``fusion``: what is done with t(c): "add", "scale" or "both".
    - ``eps``: what LN adds to the variance (1e-6 in timm).
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
        pool: Pool = "attention",
        fusion: Fusion = "add",
        eps: float = 1e-05,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.GlobalContext(channels, reduction, hidden=hidden, bias=bias, pool=pool, fusion=fusion, eps=eps)
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
