"""`MixedPoolingModule` for Linen; see `attn_core.blocks.mixed_pooling_module`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class MixedPoolingModule(Layer, of=core.MixedPoolingModule):
    """Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    relu(x + conv([short range, long range]))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size, also smaller
    than the numbers of bins.

    **Fields**

    - ``reduction``: inside there are ``channels // reduction`` channels.
    - ``pools``: the numbers n of bins along each axis of the image.
    - ``kernel``: length of the kernels, along the strips and of K_0, K_n, K_s and K_l, odd.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int = 4
    _: KW_ONLY
    pools: tuple[int, ...] = (20, 12)
    kernel: int = 3
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.MixedPoolingModule:
        """Return the block for this many channels and spatial axes."""
        return core.MixedPoolingModule(
            channels, self.reduction, pools=self.pools, kernel=self.kernel, rank=rank, momentum=self.momentum
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
