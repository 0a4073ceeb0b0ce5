"""`StripPooling` for Linen; see `attn_core.blocks.strip_pooling`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class StripPooling(Layer, of=core.StripPooling):
    """Scale each number by a gate computed from the mean of its row and the mean of its column.

    x * sigmoid(f(conv(means of rows) + conv(means of columns)))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``kernel``: length of the convolutions along the strips, odd (the paper's 3).
    - ``bias``: whether f has a bias.
    - ``norm``: whether batch normalisation follows each convolution along a strip, as in the authors' code.
    - ``relu``: whether f sees relu(y), as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    kernel: int = 3
    _: KW_ONLY
    bias: bool = True
    norm: bool = False
    relu: bool = False
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.StripPooling:
        """Return the block for this many channels and spatial axes."""
        return core.StripPooling(
            channels, self.kernel, rank=rank, bias=self.bias, norm=self.norm, relu=self.relu, momentum=self.momentum
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
