"""`ExpectationMaximizationAttention` for Linen; see `attn_core.blocks.expectation_maximization_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class ExpectationMaximizationAttention(Layer, of=core.ExpectationMaximizationAttention):
    r"""Add to the image its reconstruction from a few bases, which expectation-maximisation fits to each image.

    relu(norm(W relu(reconstruction of x from a few bases)) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``bases``: number of bases (the paper's K).
    - ``steps``: number of steps of expectation and maximisation (the paper's T).
    - ``momentum``: of the bases' moving average in PyTorch's sense, the paper's :math:`1 - \alpha`.
    - ``norm_momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 3e-4).
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    bases: int = 64
    _: KW_ONLY
    steps: int = 3
    momentum: float = 0.1
    norm_momentum: float = 0.0003

    def configure(self, channels: int, rank: int) -> core.ExpectationMaximizationAttention:
        """Return the block for this many channels and spatial axes."""
        return core.ExpectationMaximizationAttention(
            channels, self.bases, steps=self.steps, momentum=self.momentum, norm_momentum=self.norm_momentum, rank=rank
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
