"""`BottleneckAttention` for NNX; see `attn_core.blocks.bottleneck_attention`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.bottleneck_attention import Joined
from attn_jax.nnx.layer import Layer


class BottleneckAttention(Layer, of=core.BottleneckAttention):
    """Add to an image itself, scaled by a gate that joins one number for each channel and one for each pixel: BAM.

    x * (1 + sigmoid(M_c * M_s)), with M_c = W2 relu(norm(W1 mean(x))) and M_s = convolutions of x

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units, and hidden channels (the paper's r); left out, it
      is 16 or, of fewer channels, their number.
    - ``hidden``: their number, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether dense layers and convolutions have biases.
    - ``dilation``: how many pixels the numbers of the 3 x 3 kernels are apart (the paper's d).
    - ``depth``: how many such convolutions there are.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``joined``: "product" of M_c and M_s, or "sum".
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
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
        dilation: int = 4,
        depth: int = 2,
        rank: int = 2,
        joined: Joined = "product",
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
        block = core.BottleneckAttention(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            dilation=dilation,
            depth=depth,
            rank=rank,
            joined=joined,
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
