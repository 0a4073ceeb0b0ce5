"""`SimAM` for Linen; see `attn_core.blocks.sim_am`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class SimAM(Layer, of=core.SimAM):
    """Scale each number by a gate that grows with its distance from the mean of its channel; there are no weights.

    x * sigmoid((x - mean)^2 / 4 (variance + eps) + 1/2)

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``eps``: added to the variance (the paper's lambda).
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    _: KW_ONLY
    eps: float = 0.0001

    def configure(self, channels: int, rank: int) -> core.SimAM:
        """Return the block for this many channels and spatial axes."""
        return core.SimAM(channels, eps=self.eps)

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
