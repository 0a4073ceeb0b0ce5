"""`NonLocal` for NNX; see `attn_core.blocks.non_local`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_core.blocks.non_local import Mode, Scale
from attn_jax.nnx.layer import Layer


class NonLocal(Layer, of=core.NonLocal):
    """Add to each pixel what it finds at all positions, weighted by how it relates to them.

    x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``.

    **Fields**

    - ``channels``: number of channels.
    - ``hidden``: number of channels of g, theta and phi; half of ``channels`` where None, as in the paper.
    - ``mode``: the function f.
    - ``scale``: the factor s, of the two softmax modes: "none" is 1, "hidden" is hidden :sup:`-1/2`, "channels" is
      channels :sup:`-1/2`.
    - ``subsample``: the positions j are the maxima of phi and g (of x and g in the mode gaussian) over windows side by
      side, of so many pixels along each axis, or along all where it is one number; 1 keeps all positions.
    - ``norm``: whether batch normalisation follows W_z.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether theta, phi, g and W_z have biases.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        hidden: int | None = None,
        *,
        mode: Mode = "embedded_gaussian",
        scale: Scale = "none",
        subsample: int | tuple[int, ...] = 1,
        norm: bool = False,
        rank: int = 2,
        bias: bool = True,
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
        block = core.NonLocal(
            channels,
            hidden,
            mode=mode,
            scale=scale,
            subsample=subsample,
            norm=norm,
            rank=rank,
            bias=bias,
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
