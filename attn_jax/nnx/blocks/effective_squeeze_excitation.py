"""`EffectiveSqueezeExcitation` for NNX; see `attn_core.blocks.effective_squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.spec.primitives import Gate
from attn_jax.nnx.layer import Layer


class EffectiveSqueezeExcitation(Layer, of=core.EffectiveSqueezeExcitation):
    """Scale each channel by a gate that one dense layer computes from the spatial means of all channels.

    x * sigma(W mean(x) + b)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bias``: whether the dense layer has a bias.
    - ``gate``: the paper's sigma: "hard_sigmoid" or "sigmoid".
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        *,
        bias: bool = True,
        gate: Gate = "hard_sigmoid",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.EffectiveSqueezeExcitation(channels, bias=bias, gate=gate)
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
