"""`PointwiseGate` for Linen; see `attn_core.blocks.pointwise_gate`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class PointwiseGate(Layer, of=core.PointwiseGate):
    """Scale every number of an image by a gate that a pointwise convolution computes from its pixel.

    x * sigmoid(W x + b), at each pixel

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``bias``: whether the convolution has a bias.
    - ``shared``: whether all channels of a pixel share one gate: the spatial half of scSE, called sSE.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    _: KW_ONLY
    bias: bool = True
    shared: bool = False

    def configure(self, channels: int, rank: int) -> core.PointwiseGate:
        """Return the block for this many channels and spatial axes."""
        return core.PointwiseGate(channels, rank=rank, bias=self.bias, shared=self.shared)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
