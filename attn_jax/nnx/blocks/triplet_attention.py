"""`TripletAttention` for NNX; see `attn_core.blocks.triplet_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class TripletAttention(Layer, of=core.TripletAttention):
    """Scale an image by the mean of three gates: of its pixels, and of channels with columns and with rows.

    x * (g1 + g2 + g3) / 3, each the gate of CBAM's spatial attention, two of the image turned

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C); no weight depends on it.
    - ``kernel``: size of the convolutions along every axis, odd (the paper's k).
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each, and that of the pixels.
    - ``spatial``: whether the gate of the pixels is there.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 7,
        *,
        rank: int = 2,
        spatial: bool = True,
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
        block = core.TripletAttention(channels, kernel, rank=rank, spatial=spatial, momentum=momentum)
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
