"""`HybridSN` for NNX; see `attn_core.models.hybrid_sn`."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.hybrid_sn import HYBRID_SNS, Order
from attn_jax.nnx.layer import Layer


class HybridSN(Layer, of=core.HybridSN):
    """Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    **Shape**: image (batch, bands, size, size, 1) to logits (batch, classes).

    **Fields**

    - ``bands``: number of spectral bands, after a reduction such as principal components.
    - ``size``: pixels along the edge of a patch.
    - ``classes``: number of classes.
    - ``order``: "3d_first", the paper's, or "2d_first".
    - ``attention``: that of `ResidualBlock`: one block after the three convolutions, one after the convolution of 3 x 3
      pixels.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``norm``: whether convolutions are followed by batch normalisation. ``momentum``: theirs.
    - ``relu``: whether a relu follows the two hidden dense layers.
    - ``dropout``: the probability with which training drops each of their numbers.
    - ``hidden``: their numbers of units. ``filters``: numbers of channels of the four convolutions, the one of 3 x 3
      pixels last.
    - ``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built.
    """

    def __init__(
        self,
        bands: int,
        size: int,
        classes: int = 16,
        *,
        order: Order = "3d_first",
        attention: Attention = None,
        norm: bool = False,
        relu: bool = True,
        dropout: float = 0.4,
        hidden: tuple[int, int] = (256, 128),
        filters: tuple[int, int, int, int] = (8, 16, 32, 64),
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
        block = core.HybridSN(
            bands,
            size,
            classes,
            order=order,
            attention=attention,
            norm=norm,
            relu=relu,
            dropout=dropout,
            hidden=hidden,
            filters=filters,
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
        """Compute the logits."""
        return self.run(x)


class HybridSNOptions(TypedDict, total=False):
    """What `HybridSN` takes beside bands, size and classes, for type checkers."""

    order: Order
    attention: Attention
    norm: bool
    relu: bool
    dropout: float
    hidden: tuple[int, int]
    filters: tuple[int, int, int, int]
    momentum: float
    dtype: Any
    param_dtype: Any
    axis_name: str | None
    kernel_init: Any
    bias_init: Any
    precision: Any
    promote_dtype: Any


def hybrid_sn(
    bands: int, size: int, classes: int = 16, *, rngs: nnx.Rngs, **options: Unpack[HybridSNOptions]
) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, rngs=rngs, **dict(HYBRID_SNS["paper"], **options))


def hybrid_sn_2d_first(
    bands: int, size: int, classes: int = 16, *, rngs: nnx.Rngs, **options: Unpack[HybridSNOptions]
) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, rngs=rngs, **dict(HYBRID_SNS["2d_first"], **options))


def hybrid_sn_attention(
    bands: int, size: int, classes: int = 16, *, rngs: nnx.Rngs, **options: Unpack[HybridSNOptions]
) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, rngs=rngs, **dict(HYBRID_SNS["attention"], **options))
