"""`ResidualBlock` for Linen; see `attn_core.models.residual_block`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_jax.linen.layer import Layer


class ResidualBlock(Layer, of=core.ResidualBlock):
    """Add to the image what a few convolutions and an attention block make of it.

    relu(A(norm(conv(relu(norm(conv(x)))))) + S(x))

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to (batch, *ceil(space / stride), outputs), of
    any size.

    **Fields**

    - ``channels``, ``outputs``: numbers of channels before and after.
    - ``stride``: of the first convolution of three pixels, and of the shortcut.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``bottleneck``: whether there are three convolutions.
    - ``hidden``: number of channels between the convolutions; by default ``outputs``, in a bottleneck a fourth of it.
    - ``preactivation``: whether norm and relu stand before each convolution (ResNet v2), not after.
    - ``padding``: "symmetric", as PyTorch's code pads, or "same", TensorFlow's SAME, which with a stride of 2 adds
      nothing before an axis of even size and a pixel after it.
    - ``norm``, ``bias``: whether convolutions are normalised, and have biases.
    - ``relu_last``: whether a relu stands between the last normalisation and the attention.
    - ``project``: whether the shortcut is a convolution; by default where the shape changes.
    - ``rank``: number of spatial axes. ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    outputs: int
    stride: int = 1
    _: KW_ONLY
    attention: Attention = None
    bottleneck: bool = False
    hidden: int | None = None
    preactivation: bool = False
    padding: Padding = "symmetric"
    norm: bool = True
    bias: bool = False
    relu_last: bool = False
    project: bool | None = None
    momentum: float = 0.1
    eps: float = 1e-05

    def configure(self, channels: int, rank: int) -> core.ResidualBlock:
        """Return the block for this many channels and spatial axes."""
        return core.ResidualBlock(
            channels,
            self.outputs,
            self.stride,
            attention=self.attention,
            bottleneck=self.bottleneck,
            hidden=self.hidden,
            preactivation=self.preactivation,
            padding=self.padding,
            norm=self.norm,
            bias=self.bias,
            relu_last=self.relu_last,
            project=self.project,
            rank=rank,
            momentum=self.momentum,
            eps=self.eps,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
