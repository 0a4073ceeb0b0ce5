"""`StripPooling` for NNX; see `attn_core.blocks.strip_pooling`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class StripPooling(Layer, of=core.StripPooling):
    """Scale each number by a gate computed from the mean of its row and the mean of its column.

    x * sigmoid(f(conv(means of rows) + conv(means of columns)))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``kernel``: length of the convolutions along the strips, odd (the paper's 3).
    - ``rank``: number of spatial axes: 2 or 3.
    - ``bias``: whether f has a bias.
    - ``norm``: whether batch normalisation follows each convolution along a strip, as in the authors' code.
    - ``relu``: whether f sees relu(y), as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        *,
        rank: int = 2,
        bias: bool = True,
        norm: bool = False,
        relu: bool = False,
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
        block = core.StripPooling(channels, kernel, rank=rank, bias=bias, norm=norm, relu=relu, momentum=momentum)
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
