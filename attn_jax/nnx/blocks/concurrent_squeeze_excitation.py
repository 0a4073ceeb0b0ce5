"""`ConcurrentSqueezeExcitation` for NNX; see `attn_core.blocks.concurrent_squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.concurrent_squeeze_excitation import Joined
from attn_core.spec.primitives import Activation, Gate
from attn_jax.nnx.layer import Layer


class ConcurrentSqueezeExcitation(Layer, of=core.ConcurrentSqueezeExcitation):
    """Scale an image by a gate of each channel and by a gate of each pixel, and join the two: scSE.

    max(x * sigma(W2 delta(W1 mean(x) + b1) + b2), x * sigmoid(w x + b))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``, ``hidden``, ``activation``: those of `SqueezeExcitation`; half as many units by default.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: "sigmoid" or "hard_sigmoid", of the channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the dense layers and the convolution have biases.
    - ``joined``: "maximum", elementwise, or "sum".
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
        activation: Activation = "relu",
        gate: Gate = "sigmoid",
        rank: int = 2,
        joined: Joined = "maximum",
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.ConcurrentSqueezeExcitation(
            channels, reduction, hidden=hidden, bias=bias, activation=activation, gate=gate, rank=rank, joined=joined
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
