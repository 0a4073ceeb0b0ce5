"""`Res2Bottleneck` for NNX; see `attn_core.blocks.res2_bottleneck`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class Res2Bottleneck(Layer, of=core.Res2Bottleneck):
    """Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), 4 * planes),
    of any size.

    **Fields**

    - ``channels``: number of channels of the input.
    - ``planes``: a fourth of the channels of the output, as residual networks count.
    - ``scale``: number of pieces of `Res2Conv` (the paper's s).
    - ``base_width``: each piece has ``planes * base_width // 64`` channels (the paper's w, where planes is 64).
    - ``kernel``, ``rank``, ``stride``, ``first_of_stage``, ``momentum``: those of `Res2Conv`; ``momentum`` of all
      normalisations.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        planes: int,
        scale: int = 4,
        base_width: int = 26,
        *,
        kernel: int = 3,
        rank: int = 2,
        stride: int = 1,
        first_of_stage: bool = False,
        momentum: float = 0.1,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.Res2Bottleneck(
            channels,
            planes,
            scale,
            base_width,
            kernel=kernel,
            rank=rank,
            stride=stride,
            first_of_stage=first_of_stage,
            momentum=momentum,
        )
        super().__init__(
            block,
            dtype=dtype,
            param_dtype=param_dtype,
            axis_name=axis_name,
            kernel_init=kernel_init,
            bias_init=bias_init,
            precision=precision,
            promote_dtype=promote_dtype,
            rngs=rngs,
        )

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
