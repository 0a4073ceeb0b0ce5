"""`EffectiveSqueezeExcitation` for Linen; see `attn_core.blocks.effective_squeeze_excitation`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.spec.primitives import Gate
from attn_jax.linen.layer import Layer


class EffectiveSqueezeExcitation(Layer, of=core.EffectiveSqueezeExcitation):
    """Scale each channel by a gate that one dense layer computes from the spatial means of all channels.

    x * sigma(W mean(x) + b)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``bias``: whether the dense layer has a bias.
    - ``gate``: the paper's sigma: "hard_sigmoid" or "sigmoid".
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    _: KW_ONLY
    bias: bool = True
    gate: Gate = "hard_sigmoid"

    def configure(self, channels: int, rank: int) -> core.EffectiveSqueezeExcitation:
        """Return the block for this many channels and spatial axes."""
        return core.EffectiveSqueezeExcitation(channels, bias=self.bias, gate=self.gate)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
