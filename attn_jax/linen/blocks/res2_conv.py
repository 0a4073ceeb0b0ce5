"""`Res2Conv` for Linen; see `attn_core.blocks.res2_conv`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class Res2Conv(Layer, of=core.Res2Conv):
    """Convolve the channels piece by piece, each piece together with the result of the one before.

    y[i] = conv(x[i] + y[i - 1])

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), channels), of
    any size.

    **Fields**

    - ``scale``: number of pieces (the paper's s); one piece is convolved.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``norm``: whether batch normalisation follows each convolution; otherwise the convolutions have biases.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    scale: int = 4
    _: KW_ONLY
    kernel: int = 3
    stride: int = 1
    first_of_stage: bool = False
    norm: bool = True
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.Res2Conv:
        """Return the block for this many channels and spatial axes."""
        return core.Res2Conv(
            channels,
            self.scale,
            kernel=self.kernel,
            rank=rank,
            stride=self.stride,
            first_of_stage=self.first_of_stage,
            norm=self.norm,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
