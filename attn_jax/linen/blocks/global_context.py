"""`GlobalContext` for Linen; see `attn_core.blocks.global_context`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.global_context import Fusion, Pool
from attn_jax.linen.layer import Layer


class GlobalContext(Layer, of=core.GlobalContext):
    """Add to each pixel, or scale its channels by, what two layers make of one weighted mean of all pixels.

    x + W2 relu(norm(W1 (sum over j of softmax(W_k x)_j x_j)))

    **Shape**: image (batch, *space, channels) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``reduction``: each t has ``channels // reduction`` hidden units (the paper's r); left out, it is 16 or, of fewer
      channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether the dense layers have biases; that of W_k has no effect, but is in other people's weights.
    - ``pool``: how c is made: with "attention", or as the plain "mean".
    - ``fusion``: what is done with t(c): "add", "scale" or "both".
    - ``eps``: what LN adds to the variance (1e-6 in timm).
    - ``channels`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = True
    pool: Pool = "attention"
    fusion: Fusion = "add"
    eps: float = 1e-05

    def configure(self, channels: int, rank: int) -> core.GlobalContext:
        """Return the block for this many channels and spatial axes."""
        return core.GlobalContext(
            channels,
            self.reduction,
            hidden=self.hidden,
            bias=self.bias,
            pool=self.pool,
            fusion=self.fusion,
            eps=self.eps,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
