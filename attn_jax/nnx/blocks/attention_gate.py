"""`AttentionGate` for NNX; see `attn_core.blocks.attention_gate`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class AttentionGate(Layer, of=core.AttentionGate):
    """Scale each pixel of the features by a gate computed from it and from the same pixel of a gating signal.

    x * sigmoid(norm(psi relu(norm(W_x x) + norm(W_g g))))

    **Shape**: image x (batch, *space, channels) and image g (batch, *space, gating), both of ``rank`` spatial axes and
    of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated. With a ``grid``,
    g may have any size, and x at least ``grid`` pixels along each axis.

    **Fields**

    - ``channels``: number of channels of x (the paper's F_l).
    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``grid``: how many pixels of x along each axis have one gate, which is interpolated between (the authors'
      ``sub_sample_factor``); None for gates that are each computed.
    - ``align_corners``: whether interpolation, with a ``grid``, aligns the outermost pixels' centres or their edges.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        gating: int,
        hidden: int | None = None,
        *,
        rank: int = 2,
        momentum: float = 0.1,
        grid: int | None = None,
        align_corners: bool = False,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        block = core.AttentionGate(
            channels, gating, hidden, rank=rank, momentum=momentum, grid=grid, align_corners=align_corners
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

    def __call__(self, x: Array, signal: Array) -> Array:
        """Compute the block's output."""
        return self.run(x, signal)
