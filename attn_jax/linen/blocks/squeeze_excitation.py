"""`SqueezeExcitation` for Linen; see `attn_core.blocks.squeeze_excitation`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.spec.primitives import Activation, GateOrRelu
from attn_jax.linen.layer import Layer


class SqueezeExcitation(Layer, of=core.SqueezeExcitation):
    """Scale each channel by a gate computed from the spatial means of all channels.

    x * sigma(W2 delta(W1 mean(x) + b1) + b2)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both dense layers have a bias.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: the paper's sigma: "sigmoid", "hard_sigmoid" (MobileNetV3) or "relu" (MONAI's `ResidualSELayer`).
    - ``norm``: whether hidden units are normalised over the batch before delta (ReXNet), and ``momentum`` of that
      (PyTorch's).
    - ``residual``: whether the image is added to the scaled one (MONAI's `ResidualSELayer`).
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = True
    activation: Activation = "relu"
    gate: GateOrRelu = "sigmoid"
    norm: bool = False
    momentum: float = 0.1
    residual: bool = False

    def configure(self, channels: int, rank: int) -> core.SqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.SqueezeExcitation(
            channels,
            self.reduction,
            hidden=self.hidden,
            bias=self.bias,
            activation=self.activation,
            gate=self.gate,
            norm=self.norm,
            momentum=self.momentum,
            residual=self.residual,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
