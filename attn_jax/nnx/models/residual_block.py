"""`ResidualBlock` for NNX; see `attn_core.models.residual_block`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.residual_block import Padding
from attn_jax.nnx.layer import Layer


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
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        stride: int = 1,
        *,
        attention: Attention = None,
        bottleneck: bool = False,
        hidden: int | None = None,
        preactivation: bool = False,
        padding: Padding = "symmetric",
        norm: bool = True,
        bias: bool = False,
        relu_last: bool = False,
        project: bool | None = None,
        rank: int = 2,
        momentum: float = 0.1,
        eps: float = 1e-05,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.ResidualBlock(
            channels,
            outputs,
            stride,
            attention=attention,
            bottleneck=bottleneck,
            hidden=hidden,
            preactivation=preactivation,
            padding=padding,
            norm=norm,
            bias=bias,
            relu_last=relu_last,
            project=project,
            rank=rank,
            momentum=momentum,
            eps=eps,
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
