"""`Res2Bottleneck` for Linen; see `attn_core.blocks.res2_bottleneck`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class Res2Bottleneck(Layer, of=core.Res2Bottleneck):
    """Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), 4 * planes),
    of any size.

    **Fields**

    - ``planes``: a fourth of the channels of the output, as residual networks count.
    - ``scale``: number of pieces of `Res2Conv` (the paper's s).
    - ``base_width``: each piece has ``planes * base_width // 64`` channels (the paper's w, where planes is 64).
    - ``kernel``, ``rank``, ``stride``, ``first_of_stage``, ``momentum``: those of `Res2Conv`; ``momentum`` of all
      normalisations.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    planes: int
    scale: int = 4
    base_width: int = 26
    _: KW_ONLY
    kernel: int = 3
    stride: int = 1
    first_of_stage: bool = False
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.Res2Bottleneck:
        """Return the block for this many channels and spatial axes."""
        return core.Res2Bottleneck(
            channels,
            self.planes,
            self.scale,
            self.base_width,
            kernel=self.kernel,
            rank=rank,
            stride=self.stride,
            first_of_stage=self.first_of_stage,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
