"""`SqueezeExcitation` for NNX; see `attn_core.blocks.squeeze_excitation`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.spec.primitives import Activation, GateOrRelu
from attn_jax.nnx.layer import Layer


class SqueezeExcitation(Layer, of=core.SqueezeExcitation):
    """Scale each channel by a gate computed from the spatial means of all channels.

    x * sigma(W2 delta(W1 mean(x) + b1) + b2)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both dense layers have a bias.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: the paper's sigma: "sigmoid", "hard_sigmoid" (MobileNetV3) or "relu" (MONAI's `ResidualSELayer`).
    - ``norm``: whether hidden units are normalised over the batch before delta (ReXNet), and ``momentum`` of that
      (PyTorch's).
    - ``residual``: whether the image is added to the scaled one (MONAI's `ResidualSELayer`).
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
        gate: GateOrRelu = "sigmoid",
        norm: bool = False,
        momentum: float = 0.1,
        residual: bool = False,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.SqueezeExcitation(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            activation=activation,
            gate=gate,
            norm=norm,
            momentum=momentum,
            residual=residual,
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
