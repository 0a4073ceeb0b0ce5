"""`BottleneckAttention` for Linen; see `attn_core.blocks.bottleneck_attention`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.bottleneck_attention import Joined
from attn_jax.linen.layer import Layer


class BottleneckAttention(Layer, of=core.BottleneckAttention):
    """Add to an image itself, scaled by a gate that joins one number for each channel and one for each pixel: BAM.

    x * (1 + sigmoid(M_c * M_s)), with M_c = W2 relu(norm(W1 mean(x))) and M_s = convolutions of x

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``reduction``: there are ``channels // reduction`` hidden units, and hidden channels (the paper's r); left out, it
      is 16 or, of fewer channels, their number.
    - ``hidden``: their number, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether dense layers and convolutions have biases.
    - ``dilation``: how many pixels the numbers of the 3 x 3 kernels are apart (the paper's d).
    - ``depth``: how many such convolutions there are.
    - ``joined``: "product" of M_c and M_s, or "sum".
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = True
    dilation: int = 4
    depth: int = 2
    joined: Joined = "product"
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.BottleneckAttention:
        """Return the block for this many channels and spatial axes."""
        return core.BottleneckAttention(
            channels,
            self.reduction,
            hidden=self.hidden,
            bias=self.bias,
            dilation=self.dilation,
            depth=self.depth,
            rank=rank,
            joined=self.joined,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
