"""`ConcurrentSqueezeExcitation` for Linen; see `attn_core.blocks.concurrent_squeeze_excitation`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.concurrent_squeeze_excitation import Joined
from attn_core.spec.primitives import Activation, Gate
from attn_jax.linen.layer import Layer


class ConcurrentSqueezeExcitation(Layer, of=core.ConcurrentSqueezeExcitation):
    """Scale an image by a gate of each channel and by a gate of each pixel, and join the two: scSE.

    max(x * sigma(W2 delta(W1 mean(x) + b1) + b2), x * sigmoid(w x + b))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``reduction``, ``hidden``, ``activation``: those of `SqueezeExcitation`; half as many units by default.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: "sigmoid" or "hard_sigmoid", of the channels.
    - ``bias``: whether the dense layers and the convolution have biases.
    - ``joined``: "maximum", elementwise, or "sum".
    - ``channels`` and ``rank`` are read from the input.
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
    gate: Gate = "sigmoid"
    joined: Joined = "maximum"

    def configure(self, channels: int, rank: int) -> core.ConcurrentSqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.ConcurrentSqueezeExcitation(
            channels,
            self.reduction,
            hidden=self.hidden,
            bias=self.bias,
            activation=self.activation,
            gate=self.gate,
            rank=rank,
            joined=self.joined,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
