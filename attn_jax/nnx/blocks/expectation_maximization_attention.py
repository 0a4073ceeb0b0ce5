"""`ExpectationMaximizationAttention` for NNX; see `attn_core.blocks.expectation_maximization_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class ExpectationMaximizationAttention(Layer, of=core.ExpectationMaximizationAttention):
    r"""Add to the image its reconstruction from a few bases, which expectation-maximisation fits to each image.

    relu(norm(W relu(reconstruction of x from a few bases)) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bases``: number of bases (the paper's K).
    - ``steps``: number of steps of expectation and maximisation (the paper's T).
    - ``momentum``: of the bases' moving average in PyTorch's sense, the paper's :math:`1 - \alpha`.
    - ``norm_momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 3e-4).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        bases: int = 64,
        *,
        steps: int = 3,
        momentum: float = 0.1,
        norm_momentum: float = 0.0003,
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
        block = core.ExpectationMaximizationAttention(
            channels, bases, steps=steps, momentum=momentum, norm_momentum=norm_momentum, rank=rank
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
