"""`NonLocal` for NNX; see `attn_core.blocks.non_local`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import blocks as core
from attn_jax.nnx.layer import Layer


class NonLocal(Layer, of=core.NonLocal):
    """Add to each pixel what it finds at all positions, weighted by how it relates to them.

    x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``.

    **Fields**: see `attn_core.NonLocal`; `dtype`, `param_dtype`, `axis_name` and `rngs` as in Flax's own layers.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        channels: int,
        hidden: int | None = None,
        *,
        mode: str = "embedded_gaussian",
        scale: str = "none",
        subsample: int | tuple[int, ...] = 1,
        norm: bool = False,
        rank: int = 2,
        bias: bool = True,
        momentum: float = 0.1,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
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
        super().__init__(block, dtype=dtype, param_dtype=param_dtype, axis_name=axis_name, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Compute the block's output."""
        return self.run(x)
